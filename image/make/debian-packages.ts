import {stat} from 'node:fs/promises';
import {keepAnew, keepOnce} from '#image/make/keep-once.ts';

/** Debian mends faults of security each week; a point release comes every two months. */
const keptDaysMax = 30;
const dayMs = 86_400_000;

/**
 * Makes a tarball of Debian's packages, unless one is kept and will do, and tells as of which day they are: the key of a tarball
 * holds their names and not their versions, so that one is kept for as long as nobody asks for another.
 */
export const keepPackages = async (
	tarball: string,
	options: {
		readonly refresh: boolean;
		readonly make: (place: string) => Promise<void>;
		readonly tell: (line: string) => void;
	},
): Promise<void> => {
	const {refresh, make, tell} = options;
	await (refresh ? keepAnew : keepOnce)(tarball, make);
	const {mtime} = await stat(tarball);
	tell(`Debian’s packages: as of ${mtime.toISOString().slice(0, 10)}`);
	const days = Math.floor((Date.now() - mtime.getTime()) / dayMs);
	if (days > keptDaysMax) {
		tell(`warning: they are ${days} days old, without what Debian has mended since; --refresh takes today’s`);
	}
};
