import {Readable} from 'node:stream';
import {csvLine} from '#ota/fleet/audit/csv-line.ts';
import {type BoxRow, boxSummary} from '#ota/fleet/registry/box-view.ts';
import {type BoxSelection, selectBoxes, sortValue} from '#ota/fleet/registry/list-boxes.ts';
import type {OpenFleetDatabase} from '#ota/fleet/store/open-fleet-database.ts';

/** Read at once; an export of any size holds no more than two portions. */
const portion = 1000;

const columns = [
	'id',
	'kind',
	'site',
	'tags',
	'model',
	'serial',
	'release',
	'presence',
	'lastSeen',
	'health',
	'updatePhase',
	'updateRelease',
	'updateReason',
	'timeZone',
	'enrolled',
	'revoked',
] as const;

/** Every box that matches, as CSV with a head line or as one JSON array, read while it is sent. */
export const exportBoxes = (
	store: OpenFleetDatabase,
	options: BoxSelection & {readonly format: 'csv' | 'json'; readonly nowMs: number},
): Readable => Readable.from(options.format === 'csv' ? csvOf(store, options) : jsonOf(store, options));

type ExportOptions = BoxSelection & {readonly nowMs: number};

async function* csvOf(store: OpenFleetDatabase, options: ExportOptions): AsyncGenerator<string> {
	yield csvLine(columns);
	for await (const rows of portions(store, options)) {
		yield rows.map((row) => csvLine(csvValues(row))).join('');
	}
}

async function* jsonOf(store: OpenFleetDatabase, options: ExportOptions): AsyncGenerator<string> {
	let before = '[\n';
	for await (const rows of portions(store, options)) {
		for (const row of rows) {
			yield `${before}${JSON.stringify(boxSummary(row))}`;
			before = ',\n';
		}
	}
	yield before === '[\n' ? '[]\n' : '\n]\n';
}

async function* portions(
	store: OpenFleetDatabase,
	{filter, sort, nowMs}: ExportOptions,
): AsyncGenerator<readonly BoxRow[]> {
	let after: readonly [string | number, string] | undefined;
	for (;;) {
		const rows = await selectBoxes(store, {filter, sort, nowMs, after, limit: portion}).execute();
		yield rows;
		const last = rows.at(-1);
		if (last === undefined || rows.length < portion) {
			return;
		}
		after = [sortValue(sort, last), last.id];
	}
}

const time = (ms: number | null): string => (ms === null ? '' : new Date(ms).toISOString());

const csvValues = (row: BoxRow): readonly (string | null)[] => {
	const box = boxSummary(row);
	return [
		box.id,
		box.kind,
		box.site,
		box.tags.join(' '),
		box.model,
		box.serial,
		box.release,
		box.presence,
		time(box.lastSeenMs),
		box.health,
		box.update.phase,
		box.update.release,
		box.update.reason === null ? null : `${box.update.reason.code}: ${box.update.reason.message}`,
		box.timeZone,
		time(box.enrolledMs),
		time(box.revokedMs),
	];
};
