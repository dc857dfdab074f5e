import {createHash} from 'node:crypto';
import {mkdir, open, rm} from 'node:fs/promises';
import path from 'node:path';
import {z} from 'zod';
import {writeDurably} from '#appliance/store/write-durably.ts';

const journalBytesMax = 8 * 1024;
const journalSchema = z.strictObject({
	version: z.literal(1),
	image: z.string(),
	device: z.string(),
	chunksDone: z.int().nonnegative(),
});

export type FlashJournal = {
	/** How many chunks an interrupted run wrote; what it says is read back before it is believed. */
	readonly chunksDone: () => Promise<number>;
	readonly record: (chunksDone: number) => Promise<void>;
	readonly remove: () => Promise<void>;
};

/** One file on this machine for each image on each piece of hardware: another disk, even at the same path, has another. */
export const flashJournal = (
	directory: string,
	{image, device}: {readonly image: string; readonly device: string},
): FlashJournal => {
	const name = createHash('sha256')
		.update(JSON.stringify([image, device]))
		.digest('hex');
	const file = path.join(directory, `${name}.json`);
	return {
		chunksDone: async () => {
			try {
				await using handle = await open(file);
				const {size} = await handle.stat();
				const text = size > journalBytesMax ? '' : await handle.readFile('utf8');
				const journal = journalSchema.parse(JSON.parse(text));
				return journal.image === image && journal.device === device ? journal.chunksDone : 0;
			} catch {
				// Without a journal that can be read everything is written again, which is never wrong.
				return 0;
			}
		},
		record: async (chunksDone) => {
			await mkdir(directory, {recursive: true, mode: 0o700});
			await writeDurably(file, JSON.stringify({version: 1, image, device, chunksDone}), {mode: 0o600});
		},
		remove: () => rm(file, {force: true}),
	};
};
