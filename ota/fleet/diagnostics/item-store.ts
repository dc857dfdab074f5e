import type {Readable} from 'node:stream';

export type StoredItem = {
	/** Of what is here at the moment: a recording may still grow. */
	readonly sizeBytes: number;
	/** So many bytes from the begin; called at most once. */
	readonly body: () => Readable;
};

/** Where the text of a recording goes, in order; what was appended stays whatever becomes of this server. */
export type RecordingSink = AsyncDisposable & {
	/** How long text may wait to be written together: what a crash of the server may cost the recording. */
	readonly flushMs: number;
	readonly append: (text: string) => Promise<void>;
};

/** The bytes of items: on a disk, or in a store of objects that several servers share. Named by the fleet's ids only. */
export type ItemStore = {
	/** How much of an upload is here that is not whole yet. */
	readonly receivedBytes: (id: string) => Promise<number>;
	/** Goes on at `offsetBytes`, which is how much is here; what came stays when the body breaks. Answers how much is here. */
	readonly append: (
		id: string,
		part: {readonly offsetBytes: number; readonly body: AsyncIterable<Buffer>},
	) => Promise<number>;
	/** Hexadecimal, of what has been received. */
	readonly digest: (id: string) => Promise<string>;
	/** All of it was received, and is right. */
	readonly finish: (id: string) => Promise<void>;
	readonly record: (id: string) => Promise<RecordingSink>;
	/** Of what is whole, and of recordings; undefined = it is not here. */
	readonly open: (id: string) => Promise<StoredItem | undefined>;
	readonly remove: (id: string) => Promise<void>;
	/** Removes what belongs to no item any more. */
	readonly tidy: () => Promise<void>;
};
