import {readFileSync} from 'node:fs';
import {errorCode, hasCode} from '#appliance/error/coded-error.ts';

const whyCharsMax = 200;

/**
 * Why nothing that this box keeps outlives this boot, for people; undefined when it does. The initrd has noted it, since it
 * could not use the data partition (image/initrd/scripts/init-bottom/streamverse-state). A note that cannot be read is one.
 */
export const readStateLost = (runDirectory = '/run/streamverse'): string | undefined => {
	try {
		return stateLost(readFileSync(`${runDirectory}/state-lost`, 'utf8').trim().slice(0, whyCharsMax));
	} catch (error) {
		return hasCode(error, 'ENOENT') ? undefined : stateLost(errorCode(error) ?? 'unknown');
	}
};

const stateLost = (why: string): string =>
	`the data partition cannot be used (${why}): nothing that this box keeps outlives this boot`;
