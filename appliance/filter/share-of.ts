import {hash} from 'node:crypto';

/** Bits of the hash that make the number: as many as a double holds without rounding, in whole bytes. */
const shareBytes = 6;

/**
 * Where a box stands in [0, 1) for one salt: the first 48 bits of SHA-256(salt, NUL, deviceId). The same on the box as in
 * the fleet, and another order of boxes for each salt.
 */
export const shareOf = (salt: string, deviceId: string): number => {
	const digest = hash('sha256', `${salt}\0${deviceId}`, 'buffer');
	return digest.readUIntBE(0, shareBytes) / 2 ** (8 * shareBytes);
};
