import {signal} from '@preact/signals';
import type {AccountRole, Session} from '#ota/contract/account-api.ts';

/** `undefined` until the server has said; `null` when nobody is signed in. */
export const session = signal<Session | null | undefined>(undefined);

export const setSession = (next: Session | null): void => {
	session.value = next;
};

const roles: readonly AccountRole[] = ['viewer', 'operator', 'approver', 'admin'];

/** Whether the person may; the server decides again. */
export const may = (role: AccountRole): boolean => {
	const own = session.value?.account.role;
	return own !== undefined && roles.indexOf(own) >= roles.indexOf(role);
};

/** Roles that a person may hand on: those up to the own one. */
export const rolesUpToOwn = (): readonly AccountRole[] => roles.filter((role) => may(role));
