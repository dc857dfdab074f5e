import {existsSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {createReleaseKey, writeReleaseKey} from '#ota/release/release-key.ts';

/** Who may sign releases: the operator's CAs, or a key that is made for a laptop or a lab. */
export const readReleaseTrust = async (options: {
	readonly caFile: string | undefined;
	readonly stateDirectory: string;
	readonly fleet: string;
}): Promise<string> => {
	const directory = path.join(options.stateDirectory, 'release-key');
	if (options.caFile === undefined && !existsSync(directory)) {
		await writeReleaseKey(directory, await createReleaseKey({name: options.fleet}));
	}
	return readFile(options.caFile ?? path.join(directory, 'ca.pem'), 'utf8');
};
