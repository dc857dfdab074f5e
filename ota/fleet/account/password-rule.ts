import {accountError} from '#ota/fleet/account/account-error.ts';

const distinctCharactersMin = 5;

/** Beyond the length that the schema wants: not the name, not one key held down, not the word that everybody tries. */
export const checkPassword = (password: string, name: string): void => {
	const lower = password.toLowerCase();
	const isWeak =
		new Set(lower).size < distinctCharactersMin ||
		(name.length >= 4 && lower.includes(name)) ||
		/^(?:password|passwort|streamverse|qwertz?|letmein|admin|welcome|12345)+[\d!.]*$/u.test(lower);
	if (isWeak) {
		throw accountError('OTA_ACCOUNT_PASSWORD_WEAK', {
			status: 400,
			message: 'Choose a pass phrase that is not the name and not a common one; four unrelated words do well.',
		});
	}
};
