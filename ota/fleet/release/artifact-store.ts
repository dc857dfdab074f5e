import type {Readable} from 'node:stream';
import type {Sha256} from '#appliance/contract/fleet/release-schema.ts';
import type {BodyPart} from '#appliance/http/send-representation.ts';

export type StoredArtifact = {
	readonly sizeBytes: number;
	/** Parts of it, one after the other; called at most once. */
	readonly body: (parts: readonly BodyPart[]) => Readable;
	/** When `body` is not wanted after all. */
	readonly close: () => Promise<void>;
};

/** Where the verified files of releases are: on a disk, or in a store that speaks S3. Named by their digests only. */
export type ArtifactStore = {
	/** The size of what is there; undefined = not there. */
	readonly size: (sha256: Sha256) => Promise<number | undefined>;
	/** Takes a file whose digest was found right; it is there as a whole afterwards, or not at all. */
	readonly take: (
		sha256: Sha256,
		file: {readonly path: string; readonly sizeBytes: number; readonly signal: AbortSignal},
	) => Promise<void>;
	readonly open: (sha256: Sha256) => Promise<StoredArtifact | undefined>;
};
