import {rm} from 'node:fs/promises';
import type {Readable} from 'node:stream';
import {generatorBody} from '#appliance/http/generator-body.ts';
import type {BodyPart} from '#appliance/http/send-representation.ts';
import type {ObjectStore} from '#ota/fleet/object/object-store.ts';
import type {ArtifactStore} from '#ota/fleet/release/artifact-store.ts';

const bufferedBytesMax = 256 * 1024;

/** Artifacts in a store of objects. Boxes never see it: the fleet server passes its ranges on, and counts them. */
export const createS3Artifacts = (objects: ObjectStore): ArtifactStore => ({
	size: objects.size,
	take: async (sha256, {path, sizeBytes, signal}) => {
		// The digest was verified here, and again by the store while it receives.
		await objects.put(sha256, {body: {path, sizeBytes}, sha256, signal});
		await rm(path, {force: true});
	},
	open: async (sha256) => {
		const sizeBytes = await objects.size(sha256);
		return sizeBytes === undefined
			? undefined
			: {sizeBytes, close: () => Promise.resolve(), body: (parts) => bodyOf(objects, sha256, parts)};
	},
});

const bodyOf = (objects: ObjectStore, key: string, parts: readonly BodyPart[]): Readable => {
	const left = new AbortController();
	return generatorBody(readParts(objects, key, {parts, signal: left.signal}), {
		bufferedBytesMax,
		onLeft: () => left.abort(),
	});
};

async function* readParts(
	objects: ObjectStore,
	key: string,
	{parts, signal}: {readonly parts: readonly BodyPart[]; readonly signal: AbortSignal},
): AsyncGenerator<Uint8Array, void, void> {
	for (const part of parts) {
		if (Buffer.isBuffer(part)) {
			yield part;
		} else {
			yield* objects.read(key, part, {signal});
		}
	}
}
