import {z} from 'zod';
import {releaseVersionSchema} from '#appliance/contract/fleet/release-schema.ts';
import {fetchedBytesSchema} from '#appliance/contract/fleet/update-schema.ts';
import {compareReleases} from '#appliance/filter/release-order.ts';
import {openDatabase} from '#appliance/store/open-database.ts';
import type {OrderOrigin} from '#ota/agent/order-origin.ts';
import {type EndedState, isActive, isEnded, type UpdateState, updateStateSchema} from '#ota/agent/update-state.ts';

/** A bundle of blocks that are on the box here and there has many holes. */
const rangesMax = 65_536;

/** What of one bundle is on disk, and what it has cost so far. */
export const fetchProgressSchema = z.strictObject({
	orderId: z.string(),
	sha256: z.string(),
	/** Half-open ranges that are on disk, in order, apart from each other. */
	ranges: z.array(z.tuple([z.int().min(0), z.int().min(0)])).max(rangesMax),
	bytes: fetchedBytesSchema,
	/** Time that fetching has taken, whatever the clock says and while the box was on. */
	spentMs: z.int().min(0),
	entityTag: z.string().optional(),
});
export type FetchProgress = z.infer<typeof fetchProgressSchema>;

/** So much of a state as all releases write alike: a trial is known for one also where its state is not understood. */
const trialSchema = z.object({
	/** The slot that ran when installing began. */
	fromSlot: z.string(),
	job: z.object({order: z.object({orderId: z.string(), deadlines: z.object({confirmMs: z.int().min(0)})})}),
});
export type Trial = z.infer<typeof trialSchema>;

export type AgentStore = Disposable & {
	/** Undefined when there is none, or none that can be understood. */
	readonly readState: () => UpdateState | undefined;
	/** Undefined when no other slot is being tried, or about to be. */
	readonly readTrial: () => Trial | undefined;
	/**
	 * The highest release that was ever confirmed, whichever runs: what a slot or a box goes back to by itself does not lower
	 * it, and only a confirmed order that allows a downgrade does. Undefined before the first.
	 */
	readonly readHighest: () => string | undefined;
	/** On disk when it returns; throws when it is not. An order that ended is remembered. */
	readonly writeState: (state: UpdateState, options: {readonly isNews: boolean}) => void;
	/** Whether the last news was told. */
	readonly isTold: () => boolean;
	readonly markTold: () => void;
	readonly isFinished: (orderId: string) => boolean;
	/** Whoever gave orders no longer wants any but these: should he want them again, those are new orders. */
	readonly forgetFinished: (origin: OrderOrigin, wanted: readonly string[]) => void;
	readonly readProgress: () => FetchProgress | undefined;
	readonly writeProgress: (progress: FetchProgress | undefined) => void;
	/** SHA-256 of the bundle of the running release that was kept for its blocks. */
	readonly readKept: () => string | undefined;
	readonly writeKept: (sha256: string | undefined) => void;
};

/**
 * All slots share this file, and a box may fall back from a release that has more migrations than this one: they may add
 * tables and columns with defaults, and never alter `entry` and `finished`.
 */
const migrations = [
	`create table entry (name text primary key, value text not null) strict, without rowid;
	create table finished (order_id text primary key, origin text not null, ended_ms integer not null) strict`,
];
/** Orders remembered as ended. */
const finishedMax = 256;

/** The agent's memory: a few rows of JSON, each parsed by its schema when it is read. */
export const openAgentStore = (path: string): AgentStore => {
	const database = openDatabase({path, migrations, takesNewer: true});
	const select = database.prepare<[string], {value: string}>('select value from entry where name = ?');
	const upsert = database.prepare(
		'insert into entry (name, value) values (?, ?) on conflict (name) do update set value = excluded.value',
	);
	const remove = database.prepare('delete from entry where name = ?');
	const finish = database.prepare(
		`insert into finished (order_id, origin, ended_ms) values (?, ?, ?)
		on conflict (order_id) do update set origin = excluded.origin, ended_ms = excluded.ended_ms`,
	);
	const trim = database.prepare(
		'delete from finished where order_id not in (select order_id from finished order by ended_ms desc limit ?)',
	);
	const find = database.prepare('select 1 from finished where order_id = ?');
	const forget = database.prepare(
		'delete from finished where origin = ? and order_id not in (select value from json_each(?))',
	);
	const read = <Value>(name: string, schema: z.ZodType<Value>): Value | undefined => {
		const row = select.get(name);
		return row === undefined ? undefined : schema.safeParse(parseJson(row.value)).data;
	};
	const write = (name: string, value: unknown): void => {
		if (value === undefined) {
			remove.run(name);
		} else {
			upsert.run(name, JSON.stringify(value));
		}
	};
	const readState = (): UpdateState | undefined => read('state', updateStateSchema);
	const readHighest = (): string | undefined => read('highest', releaseVersionSchema);
	const highestWith = ({orderId, release}: EndedState): string => {
		const before = readState();
		const {order} = before !== undefined && isActive(before) ? before.job : {};
		const isMeant = order?.orderId === orderId && order.allowDowngrade;
		const highest = readHighest();
		return highest === undefined || isMeant || (compareReleases(release, highest) ?? 0) >= 0 ? release : highest;
	};
	return {
		readState,
		readHighest,
		readTrial: () => read('state', trialSchema),
		writeState: database.transaction((state: UpdateState, {isNews}: {readonly isNews: boolean}) => {
			if (state.kind === 'confirmed') {
				write('highest', highestWith(state));
			}
			write('state', state);
			if (isNews) {
				write('told', false);
			}
			if (isEnded(state)) {
				finish.run(state.orderId, state.origin, state.sinceMs);
				trim.run(finishedMax);
			}
		}),
		isTold: () => read('told', z.boolean()) ?? true,
		markTold: () => write('told', true),
		isFinished: (orderId) => find.get(orderId) !== undefined,
		forgetFinished: (origin, wanted) => {
			forget.run(origin, JSON.stringify(wanted));
		},
		readProgress: () => read('progress', fetchProgressSchema),
		writeProgress: (progress) => write('progress', progress),
		readKept: () => read('kept', z.string().regex(/^[0-9a-f]{64}$/u)),
		writeKept: (sha256) => write('kept', sha256),
		[Symbol.dispose]: () => database.close(),
	};
};

const parseJson = (text: string): unknown => {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
};
