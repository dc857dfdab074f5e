import {
	accountCreatedSchema,
	accountCreateSchema,
	accountPageSchema,
	accountPatchSchema,
	accountQuerySchema,
	accountSchema,
	idParametersSchema,
	passwordResetSchema,
} from '#ota/contract/account-api.ts';
import {accountError} from '#ota/fleet/account/account-error.ts';
import {
	changeAccount,
	insertAccount,
	listAccounts,
	readAccount,
	setPassword,
} from '#ota/fleet/account/account-store.ts';
import type {AccountsContext} from '#ota/fleet/account/accounts-context.ts';
import {hashPassword} from '#ota/fleet/account/hash-password.ts';
import {checkPassword} from '#ota/fleet/account/password-rule.ts';
import {makeOneTimePassword} from '#ota/fleet/account/secret.ts';
import {type AnyEndpoint, endpoint} from '#ota/fleet/api/endpoint.ts';

const shared = {tag: 'accounts', role: 'admin'} as const;

export const createAccountEndpoints = (context: AccountsContext): readonly AnyEndpoint[] => [
	endpoint({
		...shared,
		method: 'GET',
		path: '/accounts',
		operationId: 'listAccounts',
		summary: 'Accounts by name',
		query: accountQuerySchema,
		answer: accountPageSchema,
		handle: async ({query}) => ({
			body: await listAccounts(context.database, {cursor: query.cursor, limit: query.limit, clock: context.clock}),
		}),
	}),
	endpoint({
		...shared,
		method: 'GET',
		path: '/accounts/{id}',
		operationId: 'getAccount',
		summary: 'One account',
		parameters: idParametersSchema,
		answer: accountSchema,
		handle: async ({parameters: {id}}) => {
			const account = await readAccount(context.database, {id, clock: context.clock});
			return {body: account, editVersion: account.editVersion};
		},
	}),
	createCreateEndpoint(context),
	createPatchEndpoint(context),
	endpoint({
		...shared,
		method: 'DELETE',
		path: '/accounts/{id}',
		operationId: 'deleteAccount',
		summary: 'Remove an account with its sessions and tokens',
		parameters: idParametersSchema,
		concurrency: true,
		handle: async ({parameters: {id}, ifMatch}) => {
			await changeAccount(context.database, {id, ifMatch, change: 'remove'});
			context.tellChange();
			return {status: 204};
		},
	}),
	createResetEndpoint(context),
];

const createCreateEndpoint = (context: AccountsContext): AnyEndpoint =>
	endpoint({
		...shared,
		method: 'POST',
		path: '/accounts',
		operationId: 'createAccount',
		summary: 'Make an account; without a password one is made and shown once',
		body: accountCreateSchema,
		answer: accountCreatedSchema,
		handle: async ({body: {name, displayName, role, password}}) => {
			if (password !== undefined) {
				checkPassword(password, name);
			}
			const oneTimePassword = password === undefined ? makeOneTimePassword() : null;
			const passwordHash = await hashPassword(password ?? oneTimePassword ?? '');
			// Whoever made the account knows its password: it is changed before anything else either way.
			const account = {name, displayName, role, passwordHash, mustChangePassword: true};
			const id = await insertAccount(context.database, account, context.clock.nowMs());
			context.tellChange();
			const made = await readAccount(context.database, {id, clock: context.clock});
			return {status: 201, body: {account: made, oneTimePassword}, editVersion: made.editVersion};
		},
	});

const createPatchEndpoint = (context: AccountsContext): AnyEndpoint =>
	endpoint({
		...shared,
		method: 'PATCH',
		path: '/accounts/{id}',
		operationId: 'updateAccount',
		summary: 'Change the name shown, the role, or whether it is disabled',
		parameters: idParametersSchema,
		body: accountPatchSchema,
		concurrency: true,
		answer: accountSchema,
		handle: async ({parameters: {id}, body, ifMatch}) => {
			const ended = await changeAccount(context.database, {id, ifMatch, change: body});
			context.tellChange();
			const account = await readAccount(context.database, {id, clock: context.clock});
			return {body: account, editVersion: account.editVersion, audited: ended};
		},
	});

const createResetEndpoint = (context: AccountsContext): AnyEndpoint =>
	endpoint({
		...shared,
		method: 'POST',
		path: '/accounts/{id}/password-reset',
		operationId: 'resetPassword',
		summary: 'Give a one-time password; ends all sessions and, unless they are kept, all tokens of the account',
		parameters: idParametersSchema,
		body: passwordResetSchema,
		answer: accountCreatedSchema,
		handle: async ({parameters: {id}, body: {keepTokens}}) => {
			const before = await readAccount(context.database, {id, clock: context.clock});
			if (before.external) {
				throw accountError('OTA_ACCOUNT_EXTERNAL', {
					status: 409,
					message: 'This account signs in elsewhere: its password is not kept here.',
				});
			}
			const oneTimePassword = makeOneTimePassword();
			const passwordHash = await hashPassword(oneTimePassword);
			const ended = await setPassword(context.database, {id, passwordHash, mustChangePassword: true, keepTokens});
			await context.throttle.succeed({name: before.name, address: ''});
			context.tellChange();
			const account = await readAccount(context.database, {id, clock: context.clock});
			return {body: {account, oneTimePassword}, editVersion: account.editVersion, audited: ended};
		},
	});
