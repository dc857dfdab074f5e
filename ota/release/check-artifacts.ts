import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {pipeline} from 'node:stream/promises';
import type {ReleaseManifest} from '#appliance/contract/fleet/release-schema.ts';
import {artifactPath} from '#ota/release/create-release.ts';
import {type ArtifactNeed, releaseArtifacts} from '#ota/release/release-artifacts.ts';
import {releaseError} from '#ota/release/release-error.ts';

/** Whether every file that a manifest names lies in the release's directory, whole and unaltered. */
export const checkArtifacts = async (
	directory: string,
	manifest: ReleaseManifest,
	{signal}: {readonly signal: AbortSignal},
): Promise<readonly ArtifactNeed[]> => {
	const needs = releaseArtifacts(manifest);
	for (const {sha256} of needs) {
		const hash = createHash('sha256');
		try {
			await pipeline(createReadStream(artifactPath(directory, sha256)), hash, {signal});
		} catch (error) {
			signal.throwIfAborted();
			throw releaseError('OTA_RELEASE_BUNDLE_INVALID', {
				message: `The release names a file that cannot be read: artifact/${sha256}.`,
				cause: error,
			});
		}
		if (hash.digest('hex') !== sha256) {
			throw releaseError('OTA_RELEASE_BUNDLE_INVALID', {
				message: `The file artifact/${sha256} was altered or cut: make the release again.`,
			});
		}
	}
	return needs;
};
