import {z} from 'zod';
import type {OrderKind} from '#appliance/contract/fleet/order-schema.ts';
import {orderKeySchema} from '#appliance/identity/claim-schema.ts';
import {keyThumbprint, type OrderTrust} from '#appliance/identity/order-trust.ts';
import type {Database} from '#appliance/store/open-database.ts';

/** The tables `order_trust` (one row) and `order_revision`. */
export const trustTables = `
	CREATE TABLE order_trust (
		id INTEGER PRIMARY KEY CHECK (id = 1),
		anchor TEXT NOT NULL,
		fleet TEXT NOT NULL,
		key TEXT NOT NULL,
		rotation INTEGER NOT NULL
	) STRICT;
	CREATE TABLE order_revision (
		kind TEXT PRIMARY KEY,
		revision INTEGER NOT NULL
	) STRICT, WITHOUT ROWID;`;

const rowSchema = z.object({
	anchor: z.string(),
	fleet: z.string(),
	key: z.string().transform((text) => orderKeySchema.parse(JSON.parse(text))),
	rotation: z.int(),
});

export type TrustRepository = ReturnType<typeof createTrustRepository>;

export const createTrustRepository = (database: Database) => {
	const select = database.prepare('SELECT anchor, fleet, key, rotation FROM order_trust');
	const put = database.prepare('INSERT OR REPLACE INTO order_trust VALUES (1, @anchor, @fleet, @key, @rotation)');
	const last = database.prepare<[string], {revision: number}>('SELECT revision FROM order_revision WHERE kind = ?');
	const keep = database.prepare(
		`INSERT INTO order_revision VALUES (?, ?)
		ON CONFLICT (kind) DO UPDATE SET revision = excluded.revision WHERE excluded.revision > revision`,
	);
	const forgetRevisions = database.prepare('DELETE FROM order_revision');
	const write = (anchor: string, {fleet, key, rotation}: OrderTrust): void => {
		put.run({anchor, fleet, key: JSON.stringify(key), rotation});
	};
	const anchorOf = ({fleet, kid}: OrderTrust): string => `${fleet} ${kid}`;
	return {
		/**
		 * Where the box stands since `anchor`, the trust of its claim. A claim by another fleet, or with another key, begins
		 * anew: its revisions are of another sequence. True when it did.
		 */
		begin: database.transaction((anchor: OrderTrust): boolean => {
			const row = select.get();
			if (row !== undefined && rowSchema.parse(row).anchor === anchorOf(anchor)) {
				return false;
			}
			forgetRevisions.run();
			write(anchorOf(anchor), anchor);
			return row !== undefined;
		}),
		trust: (): OrderTrust => {
			const {fleet, key, rotation} = rowSchema.parse(select.get());
			return {fleet, key, rotation, kid: keyThumbprint(key)};
		},
		rotate: (trust: OrderTrust): void => {
			write(rowSchema.parse(select.get()).anchor, trust);
		},
		lastRevision: (kind: OrderKind): number => last.get(kind)?.revision ?? 0,
		/** False when it is not above the last of its kind, and nothing was kept. */
		keepRevision: (kind: OrderKind, revision: number): boolean => keep.run(kind, revision).changes === 1,
	};
};
