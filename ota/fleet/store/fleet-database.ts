import type {Kysely} from 'kysely';
import type {AccountTables} from '#ota/fleet/store/account-tables.ts';
import type {AlertTables} from '#ota/fleet/store/alert-tables.ts';
import type {AuthorityTables} from '#ota/fleet/store/authority-tables.ts';
import type {CommandTables} from '#ota/fleet/store/command-tables.ts';
import type {DiagnosticsTables} from '#ota/fleet/store/diagnostics-tables.ts';
import type {OutboxTables} from '#ota/fleet/store/outbox-tables.ts';
import type {RegistryTables} from '#ota/fleet/store/registry-tables.ts';
import type {ReleaseTables} from '#ota/fleet/store/release-tables.ts';
import type {RolloutTables} from '#ota/fleet/store/rollout-tables.ts';

/**
 * Every table of the fleet server. Columns use only what SQLite and PostgreSQL share: text, bigint (Unix ms, sizes),
 * integer (0 or 1 for a boolean) and double precision; JSON is text.
 */
export type FleetTables = RegistryTables &
	AuthorityTables &
	AccountTables &
	ReleaseTables &
	RolloutTables &
	CommandTables &
	AlertTables &
	OutboxTables &
	DiagnosticsTables;

export type FleetDatabase = Kysely<FleetTables>;
