import {z} from 'zod';
import {type Reply, replySchema} from '#appliance/contract/fleet/command-schema.ts';
import {commandsKeptMax} from '#appliance/mqtt/link-limits.ts';
import type {Database} from '#appliance/store/open-database.ts';

export const commandTable = `
	CREATE TABLE command (
		id TEXT PRIMARY KEY,
		name TEXT NOT NULL,
		arguments TEXT NOT NULL,
		deadline_ms INTEGER NOT NULL,
		expires_ms INTEGER NOT NULL,
		state TEXT NOT NULL CHECK (state IN ('pending', 'running', 'answered')),
		reply TEXT,
		sent INTEGER NOT NULL DEFAULT 0
	) STRICT, WITHOUT ROWID;`;

export type KeptCommand = {
	readonly id: string;
	readonly name: string;
	/** JSON. */
	readonly arguments: string;
	readonly deadlineMs: number;
	readonly expiresMs: number;
};

const rowSchema = z.object({
	id: z.string(),
	name: z.string(),
	arguments: z.string(),
	deadlineMs: z.number(),
	expiresMs: z.number(),
});
const replyRowSchema = z.object({reply: z.string().transform((text) => replySchema.parse(JSON.parse(text)))});
const columns = 'id, name, arguments, deadline_ms AS deadlineMs, expires_ms AS expiresMs';

/** The table `command`: what was asked and answered, until the orders expire. */
export type CommandRepository = ReturnType<typeof createCommandRepository>;

export const createCommandRepository = (database: Database) => {
	const insert = database.prepare(
		`INSERT INTO command (id, name, arguments, deadline_ms, expires_ms, state)
		VALUES (@id, @name, @arguments, @deadlineMs, @expiresMs, 'pending')`,
	);
	const has = database.prepare('SELECT 1 FROM command WHERE id = ?');
	const byState = database.prepare(`SELECT ${columns} FROM command WHERE state = ? ORDER BY expires_ms`);
	const begin = database.prepare("UPDATE command SET state = 'running' WHERE id = ?");
	const answer = database.prepare("UPDATE command SET state = 'answered', reply = ?, sent = 0 WHERE id = ?");
	const replyOf = database.prepare("SELECT reply FROM command WHERE id = ? AND state = 'answered'");
	const unsent = database.prepare("SELECT reply FROM command WHERE state = 'answered' AND sent = 0");
	const sent = database.prepare('UPDATE command SET sent = 1 WHERE id = ?');
	const prune = database.prepare("DELETE FROM command WHERE state = 'answered' AND expires_ms < ?");
	const pruneExcess = database.prepare(
		`DELETE FROM command WHERE state = 'answered' AND id IN
			(SELECT id FROM command ORDER BY expires_ms DESC LIMIT -1 OFFSET ${commandsKeptMax})`,
	);
	const replyIn = (row: unknown): Reply => replyRowSchema.parse(row).reply;
	return {
		has: (id: string): boolean => has.get(id) !== undefined,
		put: (command: KeptCommand): void => {
			insert.run(command);
		},
		pending: (): readonly KeptCommand[] => byState.all('pending').map((row) => rowSchema.parse(row)),
		/** Begun by a process that is no more. */
		interrupted: (): readonly KeptCommand[] => byState.all('running').map((row) => rowSchema.parse(row)),
		begin: (id: string): void => {
			begin.run(id);
		},
		answer: (reply: Reply): void => {
			answer.run(JSON.stringify(reply), reply.id);
		},
		reply: (id: string): Reply | undefined => {
			const row = replyOf.get(id);
			return row === undefined ? undefined : replyIn(row);
		},
		unsent: (): readonly Reply[] => unsent.all().map(replyIn),
		markSent: (id: string): void => {
			sent.run(id);
		},
		/** Forgets the answers whose orders would be refused as expired if they came again. */
		prune: (beforeMs: number): void => {
			prune.run(beforeMs);
			pruneExcess.run();
		},
	};
};
