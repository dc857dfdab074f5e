import {createHash} from 'node:crypto';
import {buffer} from 'node:stream/consumers';
import {pack} from 'tar-stream';
import {type UpdateOrder, updateOrderSchema} from '#appliance/contract/fleet/order-schema.ts';
import {type Bundle, type ReleaseManifest, releaseManifestSchema} from '#appliance/contract/fleet/release-schema.ts';
import type {UpdateJob} from '#ota/agent/update-state.ts';

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A release tree of two files as a tar. */
export const sampleBundle = async (release: string, fillerBytes = 3000): Promise<Buffer> => {
	const archive = pack();
	archive.entry({name: 'release.txt'}, release);
	archive.entry({name: 'bin/run', mode: 0o755}, `#!/bin/sh\n# ${release}\n${'x'.repeat(fillerBytes)}`);
	archive.finalize();
	return await buffer(archive as unknown as NodeJS.ReadableStream);
};

export type SampleOrder = {
	readonly bytes: Buffer;
	readonly release?: string;
	readonly orderId?: string;
	readonly manifest?: Partial<Record<keyof ReleaseManifest, unknown>>;
	readonly bundle?: Partial<Record<keyof Bundle, unknown>>;
	readonly order?: Partial<Record<keyof UpdateOrder, unknown>>;
};

/** The stand-in for a signature that `sampleVerify` finds good. */
const goodSignature = Buffer.from('good').toString('base64');

export const sampleOrder = ({bytes, release = '2.0.0', orderId = 'r1', ...edits}: SampleOrder): UpdateOrder => {
	const bundle = {
		kind: 'stb',
		compatible: 'bench',
		format: 'directory',
		sizeBytes: bytes.length,
		sha256: sha256Of(bytes),
		...edits.bundle,
	};
	const createdAt = '2026-11-21T00:00:00Z';
	const manifest = {version: 1, release, createdAt, notes: '', bundles: [bundle], ...edits.manifest};
	return updateOrderSchema.parse({
		orderId,
		release,
		kind: 'stb',
		manifest: JSON.stringify(manifest),
		signature: goodSignature,
		sources: [{kind: 'carousel', objectUri: `http://dvb.gw/op/release/${bundle.sha256}`, waitMs: 0}],
		byteBudgetBytes: 10 * bytes.length,
		attemptsMax: 3,
		deadlines: {fetchMs: 20_000, installMs: 20_000, rebootMs: 20_000, confirmMs: 20_000},
		allowDowngrade: false,
		...edits.order,
	});
};

/** An order that an agent works on, as it lies on disk. */
export const sampleJob = (edits: Partial<UpdateOrder> = {}): UpdateJob => ({
	order: sampleOrder({bytes: Buffer.from('a bundle'), order: edits}),
	origin: 'fleet',
	...{attempt: 1, steps: 3, restarts: 0, bootId: 'boot-1'},
	bytes: {carousel: 0, local: 0, unicast: 0},
});

/** Verifying itself has tests of its own; here a signature is the word `good`. */
export const sampleVerify = ({
	manifest,
	signature,
}: {
	readonly manifest: string;
	readonly signature: string;
}): ReleaseManifest => {
	if (signature !== goodSignature) {
		throw new Error('not signed by the release key');
	}
	return releaseManifestSchema.parse(JSON.parse(manifest));
};
