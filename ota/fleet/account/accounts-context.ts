import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {LoginThrottle} from '#ota/fleet/account/login-throttle.ts';
import type {SessionLimits, SessionStore} from '#ota/fleet/account/session-store.ts';
import type {TokenStore} from '#ota/fleet/account/token-store.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

/** What the operations on accounts share. */
export type AccountsContext = {
	readonly database: FleetDatabase;
	readonly clock: Clock;
	readonly logger: Logger;
	readonly sessions: SessionStore;
	readonly tokens: TokenStore;
	readonly throttle: LoginThrottle;
	readonly limits: SessionLimits;
	/** Over TLS, as the browser sees it. */
	readonly isSecure: boolean;
	readonly oidc: {readonly name: string; readonly startPath: string} | null;
	/** Pages of all servers hear that accounts changed. */
	readonly tellChange: () => void;
};
