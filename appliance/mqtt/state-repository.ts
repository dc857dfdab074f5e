import type {z} from 'zod';
import type {Database} from '#appliance/store/open-database.ts';

/** Small states of the link, one JSON text each, parsed by their schema when they are read. */
export const stateTable = `
	CREATE TABLE link_state (
		name TEXT PRIMARY KEY,
		value TEXT NOT NULL
	) STRICT, WITHOUT ROWID;`;

export type StateRepository = ReturnType<typeof createStateRepository>;

export const createStateRepository = (database: Database) => {
	const select = database.prepare<[string], {value: string}>('SELECT value FROM link_state WHERE name = ?');
	const upsert = database.prepare(
		'INSERT INTO link_state VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
	);
	const remove = database.prepare('DELETE FROM link_state WHERE name = ?');
	return {
		/** Undefined also for what an older release wrote and this one cannot read. */
		get: <Schema extends z.ZodType>(name: string, schema: Schema): z.output<Schema> | undefined => {
			const row = select.get(name);
			const parsed = row === undefined ? undefined : schema.safeParse(JSON.parse(row.value));
			return parsed?.success ? parsed.data : undefined;
		},
		put: (name: string, value: unknown): void => {
			upsert.run(name, JSON.stringify(value));
		},
		remove: (name: string): void => {
			remove.run(name);
		},
		together: <Answer>(change: () => Answer): Answer => database.transaction(change)(),
	};
};
