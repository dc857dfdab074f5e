import type {Bundle, ReleaseManifest, Sha256} from '#appliance/contract/fleet/release-schema.ts';

export type ArtifactNeed = {readonly sha256: Sha256; readonly sizeBytes: number};

/** The files that a manifest names, each once: bundles and the lists of their blocks. */
export const releaseArtifacts = ({bundles}: ReleaseManifest): readonly ArtifactNeed[] => {
	const needs = new Map(bundles.flatMap(bundleArtifacts).map((need) => [need.sha256, need]));
	return [...needs.values()];
};

export const bundleArtifacts = ({sha256, sizeBytes, blocks}: Bundle): readonly ArtifactNeed[] => [
	{sha256, sizeBytes},
	...(blocks === undefined ? [] : [{sha256: blocks.sha256, sizeBytes: blocks.sizeBytes}]),
];
