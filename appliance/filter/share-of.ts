import {hash} from 'node:crypto';

/** Bits of the hash that make the number: as many as a double holds without rounding, in whole bytes. */
const shareBytes = 6;
/** Every share is a whole number of these steps. */
export const shareSteps = 2 ** (8 * shareBytes);

/**
 * Where a box stands in [0, 1) for one salt: the first 48 bits of SHA-256(salt, NUL, deviceId). The same on the box as in
 * the fleet, and another order of boxes for each salt.
 */
export const shareOf = (salt: string, deviceId: string): number => {
	// As text of one byte per character: a third of the time that a buffer takes, and a fleet is a hundred thousand of them.
	const digest = hash('sha256', `${salt}\0${deviceId}`, 'binary');
	let share = 0;
	for (let index = 0; index < shareBytes; index += 1) {
		share = share * 256 + digest.charCodeAt(index);
	}
	return share / shareSteps;
};
