import {z} from 'zod';
import {
	loginMethodsSchema,
	loginSchema,
	passwordChangeSchema,
	type Session,
	sessionSchema,
} from '#ota/contract/account-api.ts';
import {accountError} from '#ota/fleet/account/account-error.ts';
import {type AccountRow, findAccount, findAccountByName, setPassword} from '#ota/fleet/account/account-store.ts';
import type {AccountsContext} from '#ota/fleet/account/accounts-context.ts';
import {actorOf} from '#ota/fleet/account/authenticate.ts';
import {hashPassword, verifyPassword} from '#ota/fleet/account/hash-password.ts';
import {checkPassword} from '#ota/fleet/account/password-rule.ts';
import {sessionCookieName, setCookie} from '#ota/fleet/account/session-cookie.ts';
import {type Actor, type AnyEndpoint, endpoint} from '#ota/fleet/api/endpoint.ts';
import {anonymous} from '#ota/fleet/api/identity.ts';

/** Signing in and out. They need no role, since whoever must change a password first can do nothing but these. */
export const createSessionEndpoints = (context: AccountsContext): readonly AnyEndpoint[] => [
	endpoint({
		method: 'GET',
		path: '/login-methods',
		operationId: 'getLoginMethods',
		tag: 'session',
		summary: 'How one can sign in',
		role: 'anyone',
		answer: loginMethodsSchema,
		handle: () => Promise.resolve({body: {password: true, oidc: context.oidc}}),
	}),
	endpoint({
		method: 'POST',
		path: '/session',
		operationId: 'signIn',
		tag: 'session',
		summary: 'Sign in with name and password; sets the cookie',
		role: 'anyone',
		body: loginSchema,
		answer: sessionSchema,
		handle: async ({body, actor, remoteAddress}) => {
			const account = await signIn(context, {...body, address: remoteAddress});
			if (actor.sessionId !== undefined) {
				await context.sessions.end(actor.sessionId);
			}
			const secret = await context.sessions.begin({accountId: account.id, address: remoteAddress});
			return {
				status: 201,
				actor: actorOf(account),
				headers: {'Set-Cookie': sessionCookie(context, secret)},
				body: describeSession(account, context.clock.nowMs() + context.limits.idleMs),
			};
		},
	}),
	endpoint({
		method: 'GET',
		path: '/session',
		operationId: 'getSession',
		tag: 'session',
		summary: 'Who is signed in',
		role: 'anyone',
		answer: sessionSchema,
		handle: async ({actor}) => {
			const account = await signedIn(context, actor);
			const isSession = actor.sessionId !== undefined;
			const session = describeSession(account, isSession ? context.clock.nowMs() + context.limits.idleMs : null);
			return {body: {...session, account: {...session.account, role: actor.role}}};
		},
	}),
	endpoint({
		method: 'DELETE',
		path: '/session',
		operationId: 'signOut',
		tag: 'session',
		summary: 'Sign out',
		role: 'anyone',
		handle: async ({actor}) => {
			if (actor.sessionId !== undefined) {
				await context.sessions.end(actor.sessionId);
			}
			const name = sessionCookieName(context.isSecure);
			return {
				status: 204,
				headers: {'Set-Cookie': setCookie(name, '', {isSecure: context.isSecure, maxAgeMs: 0})},
			};
		},
	}),
	createPasswordEndpoint(context),
];

const createPasswordEndpoint = (context: AccountsContext): AnyEndpoint =>
	endpoint({
		method: 'PUT',
		path: '/session/password',
		operationId: 'changePassword',
		tag: 'session',
		summary: 'Change one’s own password; ends all other sessions',
		role: 'anyone',
		body: passwordChangeSchema,
		answer: z.undefined(),
		handle: async ({body, actor, remoteAddress}) => {
			const account = await signedIn(context, actor);
			if (actor.sessionId === undefined || account.password_hash === null) {
				throw accountError('OTA_ACCOUNT_EXTERNAL', {
					status: 403,
					message: 'A password is changed by who signed in with it.',
				});
			}
			const attempt = {name: account.name, address: remoteAddress};
			await context.throttle.check(attempt);
			if (!(await verifyPassword(body.current, account.password_hash)).isRight) {
				await context.throttle.fail(attempt);
				throw accountError('OTA_ACCOUNT_PASSWORD_WRONG', {status: 403, message: 'The current password is wrong.'});
			}
			checkPassword(body.next, account.name);
			if (body.next === body.current) {
				throw accountError('OTA_ACCOUNT_PASSWORD_WEAK', {status: 400, message: 'This is the password that you have.'});
			}
			await setPassword(context.database, {
				id: account.id,
				passwordHash: await hashPassword(body.next),
				mustChangePassword: false,
				keepSession: actor.sessionId,
				keepTokens: true,
			});
			return {status: 204};
		},
	});

/** One answer for a wrong name, a wrong password and a disabled account, after the same time. */
const signIn = async (
	{database, throttle}: AccountsContext,
	{name, password, address}: {readonly name: string; readonly password: string; readonly address: string},
): Promise<AccountRow> => {
	const attempt = {name, address};
	await throttle.check(attempt);
	const account = await findAccountByName(database, name);
	const {isRight, isOutdated} = await verifyPassword(password, account?.password_hash ?? null);
	if (account === undefined || !isRight || account.disabled === 1) {
		await throttle.fail(attempt);
		throw accountError('OTA_ACCOUNT_SIGN_IN_REFUSED', {status: 401, message: 'The name or the password is wrong.'});
	}
	await throttle.succeed(attempt);
	if (isOutdated) {
		await database
			.updateTable('account')
			.set({password_hash: await hashPassword(password)})
			.where('id', '=', account.id)
			.execute();
	}
	return account;
};

const signedIn = async ({database}: AccountsContext, actor: Actor): Promise<AccountRow> => {
	const account = actor === anonymous ? undefined : await findAccount(database, actor.id);
	if (account === undefined) {
		throw accountError('OTA_ACCOUNT_NOT_SIGNED_IN', {status: 401, message: 'Nobody is signed in.'});
	}
	return account;
};

export const sessionCookie = ({isSecure, limits}: AccountsContext, secret: string): string =>
	setCookie(sessionCookieName(isSecure), secret, {isSecure, maxAgeMs: limits.absoluteMs});

const describeSession = (account: AccountRow, expiresMs: number | null): Session => ({
	account: {
		...actorOf(account),
		displayName: account.display_name,
		mustChangePassword: account.must_change_password === 1,
		external: account.external_issuer !== null,
	},
	expiresMs,
});
