import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {CodedError} from '#appliance/error/coded-error.ts';
import {isClaimed, mayBeThere} from '#appliance/identity/identity-files.ts';
import {readSmall} from '#appliance/store/read-small.ts';
import type {ImageErrorCode} from '#image/error-code.ts';
import {seedBytesMax, seedPath} from '#image/seed/seed-schema.ts';

/**
 * Puts the seed of a stick where the first boot looks for one. Only a box that nobody has claimed takes one: a seed is
 * signed by nobody, and whoever stands before a box in a living room must not be able to give it another fleet.
 */
export const takeSeed = async (
	folder: string,
	{
		stateDirectory,
		claimFile,
		anchorPath,
		seedRoot,
		stateLost,
	}: {
		readonly stateDirectory: string;
		readonly claimFile: string;
		readonly anchorPath: string;
		readonly seedRoot: string;
		readonly stateLost: string | undefined;
	},
): Promise<'none' | 'taken'> => {
	const seed = await readSmall(path.join(folder, path.basename(seedPath)), seedBytesMax);
	if (seed === undefined) {
		return 'none';
	}
	if (stateLost !== undefined) {
		throw new CodedError<ImageErrorCode>('STICK_BOX_CLAIMED', {
			message: `Whose this box is cannot be read, and a seed is for a box that is nobody’s: ${stateLost}.`,
		});
	}
	if ((await isClaimed({stateDirectory, claimFile})) || (await mayBeThere(anchorPath))) {
		throw new CodedError<ImageErrorCode>('STICK_BOX_CLAIMED', {
			message: 'This box has a claim already. Reset it to what the factory made of it, and bring the seed again.',
		});
	}
	const target = path.join(seedRoot, seedPath);
	await mkdir(path.dirname(target), {recursive: true, mode: 0o700});
	await writeFile(target, seed, {mode: 0o600});
	return 'taken';
};
