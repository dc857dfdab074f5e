import {z} from 'zod';
import type {ByteRange} from '#appliance/http/byte-ranges.ts';

/** What the fleet needs of a store of objects that all its servers reach. Boxes and browsers never see it. */
export type ObjectStore = {
	/** The size of what is there; undefined = not there. */
	readonly size: (key: string) => Promise<number | undefined>;
	/** It is there as a whole afterwards, or as it was before. */
	readonly put: (key: string, object: ObjectBody) => Promise<void>;
	/** Fails when there are fewer bytes. */
	readonly read: (
		key: string,
		range: ByteRange,
		options: {readonly signal: AbortSignal},
	) => AsyncGenerator<Uint8Array, void, void>;
	/** What is not there is removed already. */
	readonly remove: (key: string) => Promise<void>;
};

export type ObjectBody = {
	/** Called again for another attempt when it is bytes; a file is sent once. */
	readonly body: Buffer | {readonly path: string; readonly sizeBytes: number};
	/** Hexadecimal; the store verifies it while it receives. */
	readonly sha256: string;
	readonly signal?: AbortSignal | undefined;
};

/** Credentials have their own keys; in the URL they would be told with every error that names it. */
const isPlainUrl = (text: string): boolean => {
	const url = URL.parse(text);
	return url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
};

export const objectStoreSettingsSchema = z.strictObject({
	/** `https://s3.example/bucket`, and a folder in it if wanted. */
	url: z
		.url({protocol: /^https?$/u})
		.refine(isPlainUrl, {message: 'must have no user, password, query or fragment', abort: true}),
	region: z.string().min(1),
	accessKeyId: z.string().min(1),
	secretAccessKey: z.string().min(1),
});
export type ObjectStoreSettings = z.infer<typeof objectStoreSettingsSchema>;
