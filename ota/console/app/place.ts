import type {AccountRole} from '#ota/contract/account-api.ts';
import type {IconName} from '../component/icon.tsx';

export type Place = {
	readonly path: string;
	readonly name: string;
	readonly icon: IconName;
	/** After `g`. */
	readonly key: string;
	readonly role: AccountRole;
};

export const places: readonly Place[] = [
	{path: '/', name: 'Overview', icon: 'overview', key: 'o', role: 'viewer'},
	{path: '/boxes', name: 'Boxes', icon: 'boxes', key: 'b', role: 'viewer'},
	{path: '/rollouts', name: 'Rollouts', icon: 'rollout', key: 'r', role: 'viewer'},
	{path: '/releases', name: 'Releases', icon: 'release', key: 'l', role: 'viewer'},
	{path: '/alerts', name: 'Alerts', icon: 'alert', key: 'a', role: 'viewer'},
	{path: '/sites', name: 'Sites', icon: 'site', key: 's', role: 'viewer'},
	{path: '/claims', name: 'Claims', icon: 'claim', key: 'c', role: 'operator'},
	{path: '/audit', name: 'Audit', icon: 'audit', key: 'u', role: 'viewer'},
	{path: '/accounts', name: 'Accounts', icon: 'account', key: 'p', role: 'viewer'},
];
