import {type RolloutState, rolloutCreateSchema} from '#ota/contract/rollout-api.ts';
import {chunksOf} from '#ota/fleet/store/chunks-of.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;
const columnsMax = 32;
const groupNames = ['canary', 'early', 'rest'] as const;
const reasons = [
	{code: 'OTA_CHECK_FAILED', message: 'The tuner was not found after the update.'},
	{code: 'OTA_WENT_DARK', message: 'Nothing was heard of the box after its reboot.'},
	{code: 'OTA_BYTE_BUDGET', message: 'The byte budget was spent before the bundle was complete.'},
] as const;

type Scene = {
	readonly id: string;
	readonly name: string;
	readonly release: string;
	readonly state: RolloutState;
	readonly reason?: {readonly code: string; readonly message: string};
	/** Of 1000 boxes: done, ordered and failed; the others wait. */
	readonly shares: readonly [number, number, number];
	readonly startedMinutes: number | null;
};

const thresholdReached = {code: 'OTA_ERROR_THRESHOLD', message: 'Group early: 9 of 120 boxes failed, 5 % are allowed.'};
const scenes: readonly Scene[] = [
	{
		id: 'scenefinish1',
		name: 'Spring security fixes',
		release: '2.4.0',
		state: 'finished',
		shares: [1000, 0, 0],
		startedMinutes: 20_000,
	},
	{
		id: 'scenerunning',
		name: '2.5.0 to set-tops',
		release: '2.5.0',
		state: 'running',
		shares: [412, 60, 8],
		startedMinutes: 190,
	},
	{
		id: 'scenepaused1',
		name: '2.5.0 to hotels',
		release: '2.5.0',
		state: 'paused',
		reason: thresholdReached,
		shares: [80, 0, 21],
		startedMinutes: 55,
	},
	{
		id: 'scenewaiting',
		name: 'Late night trial',
		release: '2.5.0',
		state: 'waiting-approval',
		shares: [0, 0, 0],
		startedMinutes: null,
	},
];

/** Rollouts in each state that a NOC sees, as rows: what the engine would have left. */
export const fillRollouts = async (database: FleetDatabase, ids: readonly string[]): Promise<void> => {
	for (const scene of scenes) {
		await fillRollout(database, scene, ids.slice(0, 1200));
	}
};

const specOf = ({name, release}: Scene): object =>
	rolloutCreateSchema.parse({
		...{name, release, kind: 'stb', filter: '', inFlightMax: 60},
		groups: [
			{name: 'canary', size: {kind: 'percent', percent: 2}, errorCount: 1, soakMs: 30 * minuteMs},
			{name: 'early', size: {kind: 'percent', percent: 10}, errorPercent: 5, successPercent: 95},
			{name: 'rest', size: {kind: 'percent', percent: 100}, successPercent: 95},
		],
	});

const groupOf = (index: number, count: number): number => (index < count * 0.02 ? 0 : index < count * 0.12 ? 1 : 2);

const fillRollout = async (database: FleetDatabase, scene: Scene, ids: readonly string[]): Promise<void> => {
	const now = Date.now();
	const startedMs = scene.startedMinutes === null ? null : now - scene.startedMinutes * minuteMs;
	const isFinal = scene.state === 'finished';
	const [done, ordered, failed] = scene.shares.map((share) => Math.round((share / 1000) * ids.length));
	const reached = groupOf((done ?? 0) + (ordered ?? 0) + (failed ?? 0), ids.length);
	await database
		.insertInto('rollout')
		.values({
			...{id: scene.id, name: scene.name, release: scene.release, kind: 'stb', state: scene.state},
			spec: JSON.stringify(specOf(scene)),
			reason: scene.reason === undefined ? null : JSON.stringify(scene.reason),
			...{created_by: 'Olga', created_by_id: 'scene', created_ms: (startedMs ?? now) - 90 * minuteMs},
			approval:
				startedMs === null ? null : JSON.stringify({by: 'Anton', atMs: startedMs - minuteMs, note: 'looks good'}),
			...{started_ms: startedMs, ended_ms: isFinal && startedMs !== null ? startedMs + dayMs : null},
		})
		.execute();
	await database
		.insertInto('rollout_group')
		.values(
			groupNames.map((_, ordinal) => ({
				...{
					rollout: scene.id,
					ordinal,
					share_from: [0, 0.02, 0.12][ordinal] ?? 0,
					share_to: [0.02, 0.12, 1][ordinal] ?? 1,
				},
				state: startedMs === null || ordinal > reached ? 'waiting' : isFinal || ordinal < reached ? 'done' : 'running',
				started_ms: startedMs === null || ordinal > reached ? null : startedMs + ordinal * 40 * minuteMs,
				ended_ms:
					startedMs !== null && (isFinal || ordinal < reached) ? startedMs + (ordinal + 1) * 40 * minuteMs : null,
				broadcast: null,
			})),
		)
		.execute();
	await fillRolloutBoxes(database, scene, {ids, now, counts: [done ?? 0, ordered ?? 0, failed ?? 0]});
};

const fillRolloutBoxes = async (
	database: FleetDatabase,
	scene: Scene,
	{
		ids,
		now,
		counts: [done, ordered, failed],
	}: {ids: readonly string[]; now: number; counts: readonly [number, number, number]},
): Promise<void> => {
	const phases = ['fetching', 'fetching', 'verified', 'installing', 'rebooting', 'confirming'] as const;
	const rows = ids.map((box, index) => {
		// Failures lie behind the first group, where the threshold counts them.
		const isFailed = index >= ids.length * 0.03 && index < ids.length * 0.03 + failed;
		const isDone = !isFailed && index < done + failed;
		const isOrdered = !isFailed && !isDone && index < done + failed + ordered;
		const reason = isFailed ? reasons[index % 7 === 0 ? 2 : index % 3 === 0 ? 1 : 0] : undefined;
		const bytes = isDone ? 104_000_000 : isOrdered ? 31_000_000 : 0;
		return {
			...{rollout: scene.id, box, ordinal: groupOf(index, ids.length), share: index / ids.length},
			state: isFailed ? 'failed' : isDone ? 'done' : isOrdered ? 'ordered' : 'waiting',
			phase: isFailed
				? 'rolled-back'
				: isDone
					? 'confirmed'
					: isOrdered
						? (phases[index % phases.length] ?? null)
						: null,
			attempt: isFailed || isDone || isOrdered ? 1 : 0,
			reason: reason === undefined ? null : JSON.stringify(reason),
			ordered_ms: isDone || isOrdered || isFailed ? now - 30 * minuteMs : null,
			changed_ms: now - 10 * minuteMs,
			next_ms: isOrdered ? now + dayMs : null,
			...{carousel_bytes: bytes, local_bytes: Math.round(bytes / 4), unicast_bytes: Math.round(bytes / 20)},
		};
	});
	for (const some of chunksOf(rows, columnsMax)) {
		await database.insertInto('rollout_box').values(some).execute();
	}
};
