import type Router from '@koa/router';
import {sleep} from '#appliance/time/sleep.ts';
import {createAccountEndpoints} from '#ota/fleet/account/account-endpoints.ts';
import {insertFirstAccount} from '#ota/fleet/account/account-store.ts';
import type {AccountsContext} from '#ota/fleet/account/accounts-context.ts';
import {createAuthenticate} from '#ota/fleet/account/authenticate.ts';
import {hashPassword} from '#ota/fleet/account/hash-password.ts';
import {createLoginThrottle} from '#ota/fleet/account/login-throttle.ts';
import {createOidcRouter, oidcStartPath} from '#ota/fleet/account/oidc-login.ts';
import type {OidcSettings} from '#ota/fleet/account/oidc-settings.ts';
import {makeOneTimePassword} from '#ota/fleet/account/secret.ts';
import {createSessionEndpoints} from '#ota/fleet/account/session-endpoints.ts';
import {createSessionStore, defaultSessionLimits, type SessionLimits} from '#ota/fleet/account/session-store.ts';
import {createTokenEndpoints} from '#ota/fleet/account/token-endpoints.ts';
import {createTokenStore} from '#ota/fleet/account/token-store.ts';
import type {Authenticate} from '#ota/fleet/api/identity.ts';
import type {WriteAudit} from '#ota/fleet/audit/audit-entry.ts';
import type {FleetContext, FleetPart} from '#ota/fleet/fleet-part.ts';

export type AccountsOptions = {
	/** The browser reaches us by TLS: cookies are `Secure` and have the `__Host-` prefix. */
	readonly isSecure: boolean;
	readonly writeAudit: WriteAudit;
	readonly sessionLimits?: SessionLimits;
	readonly oidc?: OidcSettings;
};

export type Accounts = {
	readonly part: FleetPart;
	/** For the API, `/live` and the streams alike. */
	readonly authenticate: Authenticate;
	/** Sign-in at another provider; goes before the API's own routes. Undefined without one. */
	readonly oidcRouter: Router | undefined;
	/** Makes `admin` in a fleet without accounts; the password is answered this once, and must be changed at once. */
	readonly makeFirstAdmin: () => Promise<{readonly name: string; readonly password: string} | undefined>;
};

const firstAdminName = 'admin';
const sweepEveryMs = 15 * 60_000;

export const createAccounts = (fleet: FleetContext, options: AccountsOptions): Accounts => {
	const {database} = fleet.store;
	const {clock} = fleet;
	const limits = options.sessionLimits ?? defaultSessionLimits;
	const context: AccountsContext = {
		database,
		clock,
		logger: fleet.logger.child({part: 'account'}),
		sessions: createSessionStore({database, clock, limits}),
		tokens: createTokenStore({database, clock}),
		throttle: createLoginThrottle({database, clock}),
		limits,
		isSecure: options.isSecure,
		oidc: options.oidc === undefined ? null : {name: options.oidc.name, startPath: oidcStartPath},
		tellChange: () => fleet.changes.publish({kind: 'accounts'}),
	};
	return {
		part: {
			endpoints: [
				...createSessionEndpoints(context),
				...createAccountEndpoints(context),
				...createTokenEndpoints(context),
			],
			start: () => Promise.resolve(startSweep(context, fleet.signal)),
		},
		authenticate: createAuthenticate(context),
		oidcRouter:
			options.oidc === undefined
				? undefined
				: createOidcRouter({...context, settings: options.oidc, writeAudit: options.writeAudit}),
		makeFirstAdmin: async () => {
			const any = await database.selectFrom('account').select('id').limit(1).executeTakeFirst();
			if (any !== undefined) {
				return undefined;
			}
			const password = makeOneTimePassword();
			const admin = {
				name: firstAdminName,
				displayName: 'First admin',
				role: 'admin',
				passwordHash: await hashPassword(password),
				mustChangePassword: true,
			} as const;
			const id = await insertFirstAccount(database, admin, clock.nowMs());
			return id === undefined ? undefined : {name: firstAdminName, password};
		},
	};
};

/** Forgets what ran out. */
const startSweep = ({sessions, throttle, logger}: AccountsContext, fleetSignal: AbortSignal): AsyncDisposable => {
	const stop = new AbortController();
	const signal = AbortSignal.any([fleetSignal, stop.signal]);
	const sweep = async (): Promise<void> => {
		while (!signal.aborted) {
			try {
				await sessions.sweep();
				await throttle.sweep();
			} catch (error) {
				logger.warn({err: error}, 'sessions that ran out were not removed');
			}
			await sleep(sweepEveryMs, {signal}).catch(() => undefined);
		}
	};
	const swept = sweep();
	return {
		[Symbol.asyncDispose]: async () => {
			stop.abort();
			await swept;
		},
	};
};
