import {randomBytes} from 'node:crypto';
import {agreeOn} from '#ota/fleet/authority/agree-on.ts';
import {type AuthorityConfig, dayMs} from '#ota/fleet/authority/authority-config.ts';
import {type Authority, type OpenAuthorityOptions, openAuthority} from '#ota/fleet/authority/open-authority.ts';
import {openServerAuthority, type ServerAuthority} from '#ota/fleet/authority/open-server-authority.ts';
import {createRevocationPublisher, type RevocationPublisher} from '#ota/fleet/authority/publish-revocations.ts';
import {createDeviceAuthentication, type DeviceAuthentication} from '#ota/fleet/device/authenticate-device.ts';

const shareGroupBytes = 16;

/** Whom this fleet trusts: what broker, device listener and the authority's part share. */
export type Trust = {
	readonly authorityConfig: AuthorityConfig;
	readonly authority: Authority;
	readonly serverAuthority: ServerAuthority;
	readonly revocations: RevocationPublisher;
	readonly authentication: DeviceAuthentication;
	/**
	 * Of the servers' shared subscriptions, and a secret of theirs. mosquitto's access rules look at what is delivered
	 * and not at subscriptions: a box that knew the name could join the group, and what falls to its turn would reach
	 * nobody.
	 */
	readonly shareGroup: string;
};

export const openTrust = async (options: OpenAuthorityOptions): Promise<Trust> => {
	const {config, database, clock} = options;
	const authority = await openAuthority(options);
	const serverAuthority = await openServerAuthority(options);
	const lifeMs = config.revocationListDays * dayMs;
	return {
		authorityConfig: config,
		authority,
		serverAuthority,
		revocations: createRevocationPublisher({database, issuer: authority.issuer, lifeMs, clock}),
		authentication: createDeviceAuthentication({database, clock}),
		shareGroup: await agreeOn(database, 'share-group', `fleet-${randomBytes(shareGroupBytes).toString('hex')}`),
	};
};
