import type {Selectable, Transaction} from 'kysely';
import {type BoxMessage, telemetryTopic} from '#ota/fleet/bridge/box-message.ts';
import {chunksOf} from '#ota/fleet/store/chunks-of.ts';
import type {FleetDatabase, FleetTables} from '#ota/fleet/store/fleet-database.ts';
import type {OutboxTable} from '#ota/fleet/store/outbox-tables.ts';

export type OutboxRow = Selectable<OutboxTable>;

export type OutboxState = {
	readonly rows: number;
	readonly bytes: number;
	readonly telemetryBytes: number;
	/** When the oldest row was written; null when it is empty. */
	readonly oldestMs: number | null;
	/** Rows of telemetry that were given up since the fleet began. */
	readonly droppedRows: number;
};

const droppedCounter = 'outbox-dropped';
const columnsPerRow = 6;
const dropRowsMax = 1000;

/** In the transaction that writes the batch: Kafka hears of all that the database has, and of nothing else. */
export const appendToOutbox = async (
	transaction: Transaction<FleetTables>,
	messages: readonly BoxMessage[],
	nowMs: number,
): Promise<void> => {
	const rows = messages.map(({topic, box, messageId, payload}) => ({
		topic,
		box,
		message_id: messageId,
		payload,
		size_bytes: Buffer.byteLength(payload),
		at_ms: nowMs,
	}));
	for (const chunk of chunksOf(rows, columnsPerRow)) {
		await transaction
			.insertInto('outbox')
			.values([...chunk])
			.execute();
	}
};

/** The oldest rows, at most so many and so many bytes of them; one at least, however large. */
export const readOutbox = async (
	database: FleetDatabase,
	{rowsMax, bytesMax}: {readonly rowsMax: number; readonly bytesMax: number},
): Promise<readonly OutboxRow[]> => {
	const rows = await database.selectFrom('outbox').selectAll().orderBy('id').limit(rowsMax).execute();
	let bytes = 0;
	const end = rows.findIndex((row) => {
		bytes += row.size_bytes;
		return bytes > bytesMax;
	});
	return end === -1 ? rows : rows.slice(0, Math.max(1, end));
};

export const removeFromOutbox = async (database: FleetDatabase, ids: readonly number[]): Promise<void> => {
	for (const chunk of chunksOf(ids)) {
		await database
			.deleteFrom('outbox')
			.where('id', 'in', [...chunk])
			.execute();
	}
};

export const measureOutbox = async (database: FleetDatabase): Promise<OutboxState> => {
	const topics = await database
		.selectFrom('outbox')
		.select(({fn}) => ['topic', fn.countAll().as('rows'), fn.sum('size_bytes').as('bytes')])
		.groupBy('topic')
		.execute();
	const oldest = await database.selectFrom('outbox').select('at_ms').orderBy('id').limit(1).executeTakeFirst();
	const dropped = await database
		.selectFrom('counter')
		.select('value')
		.where('name', '=', droppedCounter)
		.executeTakeFirst();
	const sum = (pick: (topic: (typeof topics)[number]) => unknown): number =>
		topics.reduce((total, topic) => total + Number(pick(topic)), 0);
	return {
		rows: sum(({rows}) => rows),
		bytes: sum(({bytes}) => bytes),
		telemetryBytes: sum(({topic, bytes}) => (topic === telemetryTopic ? bytes : 0)),
		oldestMs: oldest?.at_ms ?? null,
		droppedRows: Number(dropped?.value ?? 0),
	};
};

/** Gives up the oldest telemetry until this many bytes are free, or none is left. Events and QoE stay. */
export const dropOldestTelemetry = async (database: FleetDatabase, bytesToFree: number): Promise<number> => {
	let freedBytes = 0;
	let droppedRows = 0;
	while (freedBytes < bytesToFree) {
		const dropped = await dropSome(database, bytesToFree - freedBytes);
		if (dropped.rows === 0) {
			break;
		}
		droppedRows += dropped.rows;
		freedBytes += dropped.bytes;
	}
	return droppedRows;
};

const dropSome = (
	database: FleetDatabase,
	bytesToFree: number,
): Promise<{readonly rows: number; readonly bytes: number}> =>
	database.transaction().execute(async (transaction) => {
		const oldest = await transaction
			.selectFrom('outbox')
			.select(['id', 'size_bytes'])
			.where('topic', '=', telemetryTopic)
			.orderBy('id')
			.limit(dropRowsMax)
			.execute();
		let bytes = 0;
		const ids: number[] = [];
		for (const row of oldest) {
			if (bytes >= bytesToFree) {
				break;
			}
			bytes += row.size_bytes;
			ids.push(row.id);
		}
		for (const chunk of chunksOf(ids)) {
			await transaction
				.deleteFrom('outbox')
				.where('id', 'in', [...chunk])
				.execute();
		}
		if (ids.length > 0) {
			await transaction
				.insertInto('counter')
				.values({name: droppedCounter, value: ids.length})
				.onConflict((conflict) =>
					conflict.column('name').doUpdateSet((expression) => ({value: expression('counter.value', '+', ids.length)})),
				)
				.execute();
		}
		return {rows: ids.length, bytes};
	});
