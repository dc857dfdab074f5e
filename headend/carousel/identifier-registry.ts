import type {Database} from '#appliance/store/open-database.ts';
import {headendError} from '#headend/error-code.ts';

/** TOI 0 is the FDT's (RFC 3926 section 3.2); the field is 32 bits wide in our packets. */
const toiMax = 0xff_ff_ff_ff;
/** FDT Instance IDs have 20 bits (RFC 3926 section 3.4.1). */
const instanceIds = 2 ** 20;
/** Numbers taken from the database at a time; a crash skips at most so many, and never repeats one. */
const reservedAtOnce = 256;
/** Content keys remembered, so that a restart sends the same bytes under the same TOI. */
const keysMax = 400_000;

export type IdentifierRegistry = {
	/** TOIs for these contents, in one transaction. The same content keeps its TOI for as long as it is remembered. */
	readonly toisOf: (tsi: number, contentKeys: readonly string[]) => readonly number[];
	/** A TOI for content that is sent for a moment only (live) and need not be remembered. */
	readonly freshToi: (tsi: number) => number;
	readonly nextInstanceId: (tsi: number) => number;
};

/**
 * Hands out the identifiers that must not mean two things: a receiver that was switched off for a week must not take
 * symbols of a new object for those of the old. Numbers only grow, across restarts, until they wrap.
 */
export const createIdentifierRegistry = (database: Database): IdentifierRegistry => {
	const find = database.prepare<[number, string], {toi: number}>(
		'SELECT toi FROM toi WHERE tsi = ? AND content_key = ?',
	);
	const isTaken = database.prepare<[number, number], {toi: number}>('SELECT toi FROM toi WHERE tsi = ? AND toi = ?');
	const insert = database.prepare('INSERT INTO toi (tsi, content_key, toi) VALUES (?, ?, ?)');
	const count = database.prepare<[], {count: number}>('SELECT count(*) AS count FROM toi');
	const prune = database.prepare('DELETE FROM toi WHERE (tsi, toi) IN (SELECT tsi, toi FROM toi ORDER BY toi LIMIT ?)');
	const readCounter = database.prepare<[string], {value: number}>('SELECT value FROM counter WHERE name = ?');
	const writeCounter = database.prepare(
		'INSERT INTO counter (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
	);
	const ranges = new Map<string, {next: number; end: number}>();
	/** The stored value is the end of the reserved range, written before a number of the range is used. */
	const take = (name: string): number => {
		const range = ranges.get(name);
		if (range !== undefined && range.next < range.end) {
			range.next += 1;
			return range.next - 1;
		}
		const next = readCounter.get(name)?.value ?? 0;
		writeCounter.run(name, next + reservedAtOnce);
		ranges.set(name, {next: next + 1, end: next + reservedAtOnce});
		return next;
	};
	const freshToi = (tsi: number): number => {
		for (let attempt = 0; attempt < keysMax + 2; attempt += 1) {
			const toi = (take(`toi:${tsi}`) % toiMax) + 1;
			if (isTaken.get(tsi, toi) === undefined) {
				return toi;
			}
		}
		throw headendError('HEADEND_TOI_EXHAUSTED', {status: 500, message: 'Every TOI of this session is in use.'});
	};
	if ((count.get()?.count ?? 0) > keysMax) {
		prune.run(keysMax / 4);
	}
	return {
		toisOf: database.transaction((tsi: number, contentKeys: readonly string[]) =>
			contentKeys.map((key) => {
				const known = find.get(tsi, key)?.toi;
				if (known !== undefined) {
					return known;
				}
				const toi = freshToi(tsi);
				insert.run(tsi, key, toi);
				return toi;
			}),
		),
		freshToi,
		nextInstanceId: (tsi) => take(`fdt:${tsi}`) % instanceIds,
	};
};
