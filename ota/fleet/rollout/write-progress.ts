import type {Transaction} from 'kysely';
import {z} from 'zod';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import {type MaintenanceWindow, maintenanceWindowSchema} from '#appliance/contract/fleet/order-schema.ts';
import type {RolloutSpec} from '#ota/contract/rollout-api.ts';
import type {IngestBatch} from '#ota/fleet/fleet-part.ts';
import {countBytes} from '#ota/fleet/rollout/attempt-bytes.ts';
import {type BoxProgress, type BoxWord, type JudgeContext, judgeStatus} from '#ota/fleet/rollout/judge-status.ts';
import {parseOrderId} from '#ota/fleet/rollout/order-id.ts';
import {formatReason, parseProgress, parseSpec} from '#ota/fleet/rollout/rollout-rows.ts';
import {chunksOf} from '#ota/fleet/store/chunks-of.ts';
import type {FleetTables} from '#ota/fleet/store/fleet-database.ts';

/** A rollout that ended so long ago is history: what its boxes say now is not about it. */
const historyMs = 30 * 86_400_000;

/** One batch: the spec of a rollout is read once for all its boxes. */
type Judging = {
	readonly transaction: Transaction<FleetTables>;
	readonly nowMs: number;
	readonly specOf: (row: Row) => RolloutSpec;
};

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
	const specs = new Map<string, RolloutSpec>();
	const specOf = (row: Row): RolloutSpec => {
		const spec = specs.get(row.rollout) ?? parseSpec(row);
		specs.set(row.rollout, spec);
		return spec;
	};
	const judging = {transaction, nowMs, specOf};
	for (const boxes of chunksOf([...words.keys()].sort())) {
		for (const row of await readRows(judging, boxes)) {
			const relevant = (words.get(row.box as DeviceId) ?? []).filter((word) => concerns(word, row));
			if (relevant.length > 0 && (await applyWords(judging, {row, words: relevant}))) {
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

const readRows = ({transaction, nowMs}: Pick<Judging, 'transaction' | 'nowMs'>, boxes: readonly string[]) =>
	transaction
		.selectFrom('rollout_box')
		.innerJoin('rollout', 'rollout.id', 'rollout_box.rollout')
		.leftJoin('box', 'box.id', 'rollout_box.box')
		.leftJoin('site', 'site.id', 'box.site')
		.selectAll('rollout_box')
		.select(['rollout.release', 'rollout.spec', 'box.time_zone', 'site.windows'])
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
	judging: Judging,
	{row, words}: {readonly row: Row; readonly words: readonly BoxWord[]},
): Promise<boolean> => {
	let current: Row | undefined = row;
	for (let judgement = 1; current !== undefined && judgement <= judgementsMax; judgement += 1) {
		const outcome = await judgeRow(judging, {row: current, words});
		if (outcome !== 'overtaken') {
			return outcome === 'moved';
		}
		// PostgreSQL: the engine gave it up or another order between the reading and the writing, or another server counted
		// its bytes. Read what they made of it.
		const rows = await readRows(judging, [row.box]);
		current = rows.find((each) => each.rollout === row.rollout);
	}
	return false;
};

const judgeRow = async (
	{transaction, nowMs, specOf}: Judging,
	{row, words}: {readonly row: Row; readonly words: readonly BoxWord[]},
): Promise<'moved' | 'unmoved' | 'overtaken'> => {
	const context = contextOf(row, {words, spec: specOf(row), nowMs});
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

const contextOf = (
	row: Row,
	{words, spec, nowMs}: {readonly words: readonly BoxWord[]; readonly spec: RolloutSpec; readonly nowMs: number},
): JudgeContext => {
	const needsPlace = words.some(({status}) => status.phase === 'verified');
	const windows = spec.windows ?? (needsPlace ? parseWindows(row.windows) : null);
	return {rollout: row.rollout, spec, timeZone: row.time_zone ?? 'UTC', windows, nowMs};
};

/** Of the box's site. */
const parseWindows = (windows: string | null): readonly MaintenanceWindow[] | null =>
	windows === null ? null : z.array(maintenanceWindowSchema).parse(JSON.parse(windows));
