import {lstat} from 'node:fs/promises';
import path from 'node:path';
import {hasCode} from '#appliance/error/coded-error.ts';

export const keptClaimName = 'claim.json';
export const certificateName = 'certificate.pem';

/** Where a box keeps who and whose it is. */
export const identityDirectoryOf = (stateDirectory: string): string => path.join(stateDirectory, 'fleet');

/**
 * Whether a box is somebody's, as its disk tells: also before its part in the fleet is open, and when it cannot be opened.
 * What cannot be looked at counts as there, so that a fault never makes a box anybody's.
 */
export const isClaimed = async ({
	stateDirectory,
	claimFile,
}: {
	readonly stateDirectory: string;
	/** Where a claim may have been brought. */
	readonly claimFile: string | undefined;
}): Promise<boolean> => {
	const kept = [keptClaimName, certificateName].map((name) => path.join(identityDirectoryOf(stateDirectory), name));
	const files = claimFile === undefined ? kept : [...kept, claimFile];
	return (await Promise.all(files.map(mayBeThere))).includes(true);
};

/** What cannot be looked at may be. */
export const mayBeThere = async (filePath: string): Promise<boolean> =>
	await lstat(filePath).then(
		() => true,
		(error: unknown) => !hasCode(error, 'ENOENT'),
	);
