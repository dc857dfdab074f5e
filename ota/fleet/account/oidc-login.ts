import Router from '@koa/router';
import type {Context} from 'koa';
import {
	allowInsecureRequests,
	authorizationCodeGrant,
	buildAuthorizationUrl,
	type Configuration,
	calculatePKCECodeChallenge,
	discovery,
	type IDToken,
	randomNonce,
	randomPKCECodeVerifier,
} from 'openid-client';
import {errorCode} from '#appliance/error/coded-error.ts';
import {statusOf} from '#appliance/http/create-app.ts';
import {type AccountRole, accountRoles} from '#ota/contract/account-api.ts';
import {accountError} from '#ota/fleet/account/account-error.ts';
import type {AccountRow} from '#ota/fleet/account/account-store.ts';
import type {AccountsContext} from '#ota/fleet/account/accounts-context.ts';
import {actorOf} from '#ota/fleet/account/authenticate.ts';
import type {OidcSettings} from '#ota/fleet/account/oidc-settings.ts';
import {hashSecret, makeSecret} from '#ota/fleet/account/secret.ts';
import {readCookie, setCookie} from '#ota/fleet/account/session-cookie.ts';
import {sessionCookie} from '#ota/fleet/account/session-endpoints.ts';
import {takeExternalAccount} from '#ota/fleet/account/take-external-account.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';
import type {Actor} from '#ota/fleet/api/endpoint.ts';
import {anonymous} from '#ota/fleet/api/identity.ts';
import {createRateLimiter, type RateLimit} from '#ota/fleet/api/rate-limiter.ts';
import type {AuditEntry, WriteAudit} from '#ota/fleet/audit/audit-entry.ts';

export const oidcRoot = '/api/v1/oidc';
export const oidcStartPath = `${oidcRoot}/start`;
const callbackPath = `${oidcRoot}/callback`;
/** Long enough to find a second factor. */
const loginMs = 10 * 60_000;
/** Of sign-ins under way; who floods the start page pushes out the oldest. */
const loginsMax = 1000;
const providerTimeoutSeconds = 10;
/** Each start writes a row, and each callback asks the provider. */
const addressLimit: RateLimit = {burst: 30, perSecond: 0.5};

export type OidcOptions = AccountsContext & {readonly settings: OidcSettings; readonly writeAudit: WriteAudit};

/** `GET /api/v1/oidc/start` sends the browser to the provider; `…/callback` takes it back, signed in. */
export const createOidcRouter = (options: OidcOptions): Router => {
	let known: Promise<Configuration> | undefined;
	const provider = (): Promise<Configuration> => {
		known ??= discover(options.settings).catch((error: unknown) => {
			known = undefined;
			throw accountError('OTA_ACCOUNT_OIDC_FAILED', {
				status: 502,
				message: 'The sign-in provider does not answer: use a password, or try again.',
				cause: error,
			});
		});
		return known;
	};
	const limiter = createRateLimiter(addressLimit, options);
	const router = new Router();
	router.use((context, next) => {
		const retryAfterSeconds = limiter.take(context.ip);
		if (retryAfterSeconds > 0) {
			context.set('Retry-After', String(retryAfterSeconds));
			throw apiError('OTA_API_TOO_MANY_REQUESTS', {
				status: 429,
				message: 'Too many sign-ins from this address: wait as Retry-After says.',
				retryAfterSeconds,
			});
		}
		return next();
	});
	router.get(oidcStartPath, async (context) => startLogin(context, options, await provider()));
	router.get(callbackPath, async (context) => finishLogin(context, options, await provider()));
	return router;
};

const discover = ({issuer, clientId, clientSecret, allowInsecure}: OidcSettings): Promise<Configuration> =>
	discovery(new URL(issuer), clientId, clientSecret, undefined, {
		timeout: providerTimeoutSeconds,
		...(allowInsecure ? {execute: [allowInsecureRequests]} : {}),
	});

const stateCookieName = (isSecure: boolean): string => `${isSecure ? '__Host-' : ''}streamverse-oidc`;

const startLogin = async (context: Context, options: OidcOptions, provider: Configuration): Promise<void> => {
	const {database, clock, settings, isSecure} = options;
	const [state, verifier, nonce] = [makeSecret(), randomPKCECodeVerifier(), randomNonce()];
	const nowMs = clock.nowMs();
	await database
		.deleteFrom('oidc_login')
		.where('created_ms', '<', nowMs - loginMs)
		.execute();
	await forgetOldest(options);
	await database
		.insertInto('oidc_login')
		.values({
			id_hash: hashSecret(state),
			verifier,
			nonce,
			return_to: localPath(context.query['returnTo']),
			created_ms: nowMs,
		})
		.execute();
	const url = buildAuthorizationUrl(provider, {
		redirect_uri: new URL(callbackPath, settings.publicUrl).href,
		scope: settings.scope,
		code_challenge: await calculatePKCECodeChallenge(verifier),
		code_challenge_method: 'S256',
		state,
		nonce,
	});
	// Lax: the browser comes back from the provider's site, and must bring it along.
	context.set(
		'Set-Cookie',
		setCookie(stateCookieName(isSecure), state, {isSecure, maxAgeMs: loginMs, sameSite: 'Lax'}),
	);
	context.set('Cache-Control', 'no-store');
	context.redirect(url.href);
};

const forgetOldest = async ({database}: OidcOptions): Promise<void> => {
	const surplus = await database
		.selectFrom('oidc_login')
		.select('id_hash')
		.orderBy('created_ms', 'desc')
		.offset(loginsMax)
		.limit(loginsMax)
		.execute();
	const ids = surplus.map((row) => row.id_hash);
	if (ids.length > 0) {
		await database.deleteFrom('oidc_login').where('id_hash', 'in', ids).execute();
	}
};

/** Only a path of our own: whatever could lead elsewhere becomes the first page. */
export const localPath = (returnTo: unknown): string =>
	typeof returnTo === 'string' && /^\/(?![/\\])[\w\-./?=&%#~:+,]{0,512}$/u.test(returnTo) ? returnTo : '/';

const finishLogin = async (context: Context, options: OidcOptions, provider: Configuration): Promise<void> => {
	const {database, clock, settings, isSecure, sessions, writeAudit} = options;
	const state = readCookie(context.req.headers.cookie, stateCookieName(isSecure));
	// Taken out at once: a code, and the state that it belongs to, count for one attempt.
	const login =
		state === undefined
			? undefined
			: await database
					.deleteFrom('oidc_login')
					.where('id_hash', '=', hashSecret(state))
					.where('created_ms', '>=', clock.nowMs() - loginMs)
					.returningAll()
					.executeTakeFirst();
	if (state === undefined || login === undefined) {
		throw accountError('OTA_ACCOUNT_OIDC_FAILED', {
			status: 400,
			message: 'This sign-in was not begun in this browser, or took too long: begin again.',
		});
	}
	const record = (actor: Actor, result: Pick<AuditEntry, 'outcome' | 'status' | 'code' | 'intent'>): Promise<number> =>
		writeAudit({
			actorId: actor.id,
			actorName: actor.name,
			actorRole: actor.role,
			action: 'signInByOidc',
			method: 'GET',
			path: callbackPath,
			box: null,
			...result,
			address: context.ip,
			detail: JSON.stringify({issuer: settings.issuer}),
		});
	const intent = await record(anonymous, {outcome: 'begun', status: 0, code: null});
	const account = await identify(context, {...options, provider, state, login}).catch(async (error: unknown) => {
		await record(anonymous, {outcome: 'refused', status: statusOf(error), code: errorCode(error) ?? null, intent});
		throw error;
	});
	const secret = await sessions.begin({accountId: account.id, address: context.ip});
	await record(actorOf(account), {outcome: 'done', status: 200, code: null, intent});
	context.append('Set-Cookie', sessionCookie(options, secret));
	context.append('Set-Cookie', setCookie(stateCookieName(isSecure), '', {isSecure, maxAgeMs: 0, sameSite: 'Lax'}));
	sendOnward(context, login.return_to);
};

const identify = async (
	context: Context,
	options: OidcOptions & {
		readonly provider: Configuration;
		readonly state: string;
		readonly login: {readonly verifier: string; readonly nonce: string};
	},
): Promise<AccountRow> => {
	const {settings, provider, state, login} = options;
	const url = new URL(context.originalUrl.slice(0, 8192), settings.publicUrl);
	const claims = await claimsOf(provider, {url, state, verifier: login.verifier, nonce: login.nonce});
	return takeExternalAccount(options, {claims, role: roleOf(claims, settings)});
};

/** A page that goes on by itself: a redirect would still count as the provider's, and a Strict cookie stay behind. */
const sendOnward = (context: Context, path: string): void => {
	const escaped = path.replaceAll('&', '&amp;');
	context.set({
		'Cache-Control': 'no-store',
		'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
		'Referrer-Policy': 'no-referrer',
		'X-Content-Type-Options': 'nosniff',
	});
	context.type = 'text/html; charset=utf-8';
	context.body = `<!doctype html><html lang="en"><meta http-equiv="refresh" content="0;url=${escaped}"><title>Signed in</title><a href="${escaped}">Go on</a></html>`;
};

const claimsOf = async (
	provider: Configuration,
	options: {readonly url: URL; readonly state: string; readonly verifier: string; readonly nonce: string},
): Promise<IDToken> => {
	try {
		const tokens = await authorizationCodeGrant(provider, options.url, {
			pkceCodeVerifier: options.verifier,
			expectedState: options.state,
			expectedNonce: options.nonce,
			idTokenExpected: true,
		});
		const claims = tokens.claims();
		if (claims !== undefined) {
			return claims;
		}
	} catch (error) {
		throw accountError('OTA_ACCOUNT_OIDC_FAILED', {
			status: 401,
			message: `The sign-in provider refused: ${errorCode(error) ?? 'no reason given'}.`,
			cause: error,
		});
	}
	throw accountError('OTA_ACCOUNT_OIDC_FAILED', {status: 401, message: 'The sign-in provider named nobody.'});
};

/** The highest role that any of the groups has. */
const roleOf = (claims: IDToken, {groupsClaim, roleByGroup}: OidcSettings): AccountRole => {
	const groups = claims[groupsClaim];
	const names = Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [];
	const roles = names.flatMap((name) => (Object.hasOwn(roleByGroup, name) ? [roleByGroup[name]] : []));
	const role = accountRoles.toReversed().find((candidate) => roles.includes(candidate));
	if (role === undefined) {
		throw accountError('OTA_ACCOUNT_OIDC_NO_ROLE', {
			status: 403,
			message: 'None of your groups has a role in this fleet: ask its admin.',
		});
	}
	return role;
};
