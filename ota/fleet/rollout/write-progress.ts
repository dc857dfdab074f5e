import type {Transaction} from 'kysely';
import {z} from 'zod';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import {type MaintenanceWindow, maintenanceWindowSchema} from '#appliance/contract/fleet/order-schema.ts';
import type {IngestBatch} from '#ota/fleet/fleet-part.ts';
import {countBytes} from '#ota/fleet/rollout/attempt-bytes.ts';
import {type BoxProgress, type BoxWord, type JudgeContext, judgeStatus} from '#ota/fleet/rollout/judge-status.ts';
import {parseOrderId} from '#ota/fleet/rollout/order-id.ts';
import {formatReason, parseProgress, parseSpec} from '#ota/fleet/rollout/rollout-rows.ts';
import {chunksOf} from '#ota/fleet/store/chunks-of.ts';
import type {FleetTables} from '#ota/fleet/store/fleet-database.ts';

/** A rollout that ended so long ago is history: what its boxes say now is not about it. */
const historyMs = 30 * 86_400_000;

type Place = {readonly timeZone: string; readonly windows: readonly MaintenanceWindow[] | null};

/**
 * Writes what boxes said into the rollouts that they are part of, in the transaction that writes their words: a word is
 * acknowledged only when it counts. Answers the rollouts that moved.
 */
export const writeRolloutProgress = async (
	transaction: Transaction<FleetTables>,
	batch: IngestBatch,
	{nowMs}: {readonly nowMs: number},
): Promise<ReadonlySet<string>> => {
	const words = wordsOf(batch);
	const moved = new Set<string>();
	for (const boxes of chunksOf([...words.keys()].sort())) {
		for (const row of await readRows(transaction, boxes, nowMs)) {
			const relevant = (words.get(row.box as DeviceId) ?? []).filter((word) => concerns(word, row));
			if (relevant.length > 0 && (await applyWords(transaction, {row, words: relevant, nowMs}))) {
				moved.add(row.rollout);
			}
		}
	}
	return moved;
};

/** In the order in which each box said them; the report last, which is the newest. */
const wordsOf = ({events, reported}: IngestBatch): ReadonlyMap<DeviceId, readonly BoxWord[]> => {
	const words = new Map<DeviceId, BoxWord[]>();
	const add = (box: DeviceId, word: BoxWord): void => {
		const known = words.get(box);
		if (known === undefined) {
			words.set(box, [word]);
		} else {
			known.push(word);
		}
	};
	for (const {box, event} of events) {
		if (event.event.kind === 'update') {
			add(box, {status: event.event.data, running: undefined});
		}
	}
	for (const each of reported) {
		add(each.box, {status: each.reported.update, running: each.reported.release});
	}
	return words;
};

const readRows = (transaction: Transaction<FleetTables>, boxes: readonly string[], nowMs: number) =>
	transaction
		.selectFrom('rollout_box')
		.innerJoin('rollout', 'rollout.id', 'rollout_box.rollout')
		.selectAll('rollout_box')
		.select(['rollout.release', 'rollout.spec'])
		.where('rollout_box.box', 'in', boxes)
		.where('rollout.state', '!=', 'rejected')
		.where(({eb, or}) => or([eb('rollout.ended_ms', 'is', null), eb('rollout.ended_ms', '>', nowMs - historyMs)]))
		.orderBy('rollout_box.box')
		.execute();

type Row = Awaited<ReturnType<typeof readRows>>[number];

const isOf = ({status}: BoxWord, {rollout}: Row): boolean =>
	status.orderId !== undefined && parseOrderId(status.orderId)?.rollout === rollout;

const concerns = (word: BoxWord, row: Row): boolean =>
	isOf(word, row) || (word.running === row.release && row.state !== 'done');

/** How often a row is judged anew because the engine or another server changed it in between. */
const judgementsMax = 5;

const applyWords = async (
	transaction: Transaction<FleetTables>,
	{row, words, nowMs}: {readonly row: Row; readonly words: readonly BoxWord[]; readonly nowMs: number},
): Promise<boolean> => {
	let current: Row | undefined = row;
	for (let judgement = 1; current !== undefined && judgement <= judgementsMax; judgement += 1) {
		const outcome = await judgeRow(transaction, {row: current, words, nowMs});
		if (outcome !== 'overtaken') {
			return outcome === 'moved';
		}
		// PostgreSQL: the engine gave it up or another order between the reading and the writing, or another server counted
		// its bytes. Read what they made of it.
		const rows = await readRows(transaction, [row.box], nowMs);
		current = rows.find((each) => each.rollout === row.rollout);
	}
	return false;
};

const judgeRow = async (
	transaction: Transaction<FleetTables>,
	{row, words, nowMs}: {readonly row: Row; readonly words: readonly BoxWord[]; readonly nowMs: number},
): Promise<'moved' | 'unmoved' | 'overtaken'> => {
	const context = await contextOf(transaction, {row, words, nowMs});
	const before = parseProgress(row);
	let progress: BoxProgress = before;
	for (const word of words) {
		progress = judgeStatus(progress, word, context) ?? progress;
	}
	// By the attempt that this word may have begun.
	const bytes = countBytes({...row, attempt: progress.attempt}, words);
	if (progress === before && bytes === undefined) {
		return 'unmoved';
	}
	const written = await transaction
		.updateTable('rollout_box')
		.set({
			state: progress.state,
			phase: progress.phase,
			attempt: progress.attempt,
			reason: formatReason(progress.reason),
			since_ms: progress.sinceMs,
			next_ms: progress.nextMs,
			...(progress === before ? {} : {changed_ms: nowMs}),
			...bytes,
		})
		.where('rollout', '=', row.rollout)
		.where('box', '=', row.box)
		.where('attempt', '=', before.attempt)
		.where('state', '=', before.state)
		.where('attempt_bytes', 'is not distinct from', row.attempt_bytes)
		.returning('box')
		.execute();
	return written.length === 0 ? 'overtaken' : 'moved';
};

const contextOf = async (
	transaction: Transaction<FleetTables>,
	{row, words, nowMs}: {readonly row: Row; readonly words: readonly BoxWord[]; readonly nowMs: number},
): Promise<JudgeContext> => {
	const spec = parseSpec(row);
	const needsPlace = words.some(({status}) => status.phase === 'verified');
	const place = needsPlace ? await readPlace(transaction, row.box) : {timeZone: 'UTC', windows: null};
	return {rollout: row.rollout, spec, timeZone: place.timeZone, windows: spec.windows ?? place.windows, nowMs};
};

const readPlace = async (transaction: Transaction<FleetTables>, box: string): Promise<Place> => {
	const row = await transaction
		.selectFrom('box')
		.leftJoin('site', 'site.id', 'box.site')
		.select(['box.time_zone', 'site.windows'])
		.where('box.id', '=', box)
		.executeTakeFirst();
	return {
		timeZone: row?.time_zone ?? 'UTC',
		windows: row?.windows == null ? null : z.array(maintenanceWindowSchema).parse(JSON.parse(row.windows)),
	};
};
