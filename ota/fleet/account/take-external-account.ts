import type {IDToken} from 'openid-client';
import type {AccountRole} from '#ota/contract/account-api.ts';
import {accountError} from '#ota/fleet/account/account-error.ts';
import {
	type AccountRow,
	endTokens,
	findAccount,
	findAccountByName,
	findExternalAccount,
	insertAccount,
} from '#ota/fleet/account/account-store.ts';
import type {AccountsContext} from '#ota/fleet/account/accounts-context.ts';
import {hashSecret} from '#ota/fleet/account/secret.ts';

/**
 * The account of who signed in elsewhere, made at the first time, with the role of today. It is found by issuer and
 * subject only: a name that the provider gives never opens an account of that name.
 */
export const takeExternalAccount = async (
	{database, clock, tellChange}: AccountsContext,
	{claims, role}: {readonly claims: IDToken; readonly role: AccountRole},
): Promise<AccountRow> => {
	const external = {issuer: claims.iss, subject: claims.sub};
	const known = await findExternalAccount(database, external);
	if (known?.disabled === 1) {
		throw accountError('OTA_ACCOUNT_SIGN_IN_REFUSED', {status: 403, message: 'This account is disabled.'});
	}
	if (known !== undefined) {
		if (known.role !== role) {
			await database
				.updateTable('account')
				.set({role, edit_version: known.edit_version + 1})
				.where('id', '=', known.id)
				.execute();
			await endTokens(database, {id: known.id, above: role});
			tellChange();
		}
		return {...known, role};
	}
	const wanted = nameOf(claims);
	const isTaken = (await findAccountByName(database, wanted)) !== undefined;
	const id = await insertAccount(
		database,
		{
			name: isTaken ? `${wanted.slice(0, 118)}+${hashSecret(`${claims.iss} ${claims.sub}`).slice(0, 8)}` : wanted,
			displayName: text(claims['name']) ?? wanted,
			role,
			passwordHash: null,
			mustChangePassword: false,
			external,
		},
		clock.nowMs(),
	);
	tellChange();
	const made = await findAccount(database, id);
	if (made === undefined) {
		throw accountError('OTA_ACCOUNT_OIDC_FAILED', {status: 409, message: 'The account was removed meanwhile.'});
	}
	return made;
};

const text = (claim: unknown): string | undefined =>
	typeof claim === 'string' && claim.trim() !== '' ? claim.trim().slice(0, 128) : undefined;

const nameOf = (claims: IDToken): string => {
	const given = text(claims['preferred_username']) ?? text(claims['email']) ?? claims.sub;
	const name = given
		.toLowerCase()
		.replaceAll(/[^a-z0-9._@+-]/gu, '-')
		.replace(/^[^a-z0-9]+/u, '');
	return name === '' ? `oidc-${hashSecret(claims.sub).slice(0, 12)}` : name.slice(0, 128);
};
