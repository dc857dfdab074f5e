import type {Migration} from 'kysely/migration';
import {accountMigration} from '#ota/fleet/store/migration/account.ts';
import {alertMigration} from '#ota/fleet/store/migration/alert.ts';
import {auditIntentMigration} from '#ota/fleet/store/migration/audit-intent.ts';
import {authorityMigration} from '#ota/fleet/store/migration/authority.ts';
import {boxSilentMigration} from '#ota/fleet/store/migration/box-silent.ts';
import {commandMigration} from '#ota/fleet/store/migration/command.ts';
import {desiredResendMigration} from '#ota/fleet/store/migration/desired-resend.ts';
import {diagnosticsMigration} from '#ota/fleet/store/migration/diagnostics.ts';
import {diagnosticsPartMigration} from '#ota/fleet/store/migration/diagnostics-part.ts';
import {outboxMigration} from '#ota/fleet/store/migration/outbox.ts';
import {registryMigration} from '#ota/fleet/store/migration/registry.ts';
import {releaseMigration} from '#ota/fleet/store/migration/release.ts';
import {rolloutMigration} from '#ota/fleet/store/migration/rollout.ts';
import {rolloutAttemptBytesMigration} from '#ota/fleet/store/migration/rollout-attempt-bytes.ts';
import {rolloutIndexMigration} from '#ota/fleet/store/migration/rollout-index.ts';

/** In this order, by name. A migration that was released is never edited: append another. */
export const migrations: Readonly<Record<string, Migration>> = {
	'0001-registry': registryMigration,
	'0002-authority': authorityMigration,
	'0003-account': accountMigration,
	'0004-release': releaseMigration,
	'0005-rollout': rolloutMigration,
	'0006-command': commandMigration,
	'0007-alert': alertMigration,
	'0008-outbox': outboxMigration,
	'0009-diagnostics': diagnosticsMigration,
	'0010-rollout-index': rolloutIndexMigration,
	'0011-box-silent': boxSilentMigration,
	'0012-audit-intent': auditIntentMigration,
	'0013-desired-resend': desiredResendMigration,
	'0014-rollout-attempt-bytes': rolloutAttemptBytesMigration,
	'0015-diagnostics-part': diagnosticsPartMigration,
};
