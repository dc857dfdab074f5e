import type {Claim} from '#appliance/identity/claim-schema.ts';
import {createCertificateEndpoints} from '#ota/fleet/authority/certificate-endpoints.ts';
import {createClaimEndpoints} from '#ota/fleet/authority/claim-endpoints.ts';
import {createEstRoutes} from '#ota/fleet/authority/est-routes.ts';
import type {Trust} from '#ota/fleet/authority/open-trust.ts';
import {type RecordBox, recordBox} from '#ota/fleet/authority/record-box.ts';
import type {FleetContext, FleetPart} from '#ota/fleet/fleet-part.ts';

export type AuthorityPartOptions = {
	readonly trust: Trust;
	/** What every claim file says: the fleet's name, its URLs, its keys. Asked at each claim. */
	readonly claimFile: () => Promise<Omit<Claim, 'token' | 'deviceId'>>;
	/** After a revocation was written: `broker.wake`. */
	readonly onRevoked: () => void;
	/** Instead of this area's own row in `box`. */
	readonly recordBox?: RecordBox;
};

/**
 * Claims, certificates and EST. To compose, in this order: `openTrust`; `startBroker` (its `boxUrl` goes into claim
 * files, its `serverUrl` and `serverCredentials` to `connectBroker`); this part; and `startDeviceServer` with the
 * `deviceRoutes` of every part.
 */
export const createAuthorityPart = (context: FleetContext, options: AuthorityPartOptions): FleetPart => {
	const {trust, claimFile} = options;
	const {authority, revocations, authentication, authorityConfig} = trust;
	const {clock, changes, logger} = context;
	const {database} = context.store;

	const onRevoked = (boxes: readonly string[]): void => {
		authentication.forget();
		options.onRevoked();
		changes.publish({kind: 'boxes', ids: boxes.slice(0, 200)});
	};
	return {
		endpoints: [
			...createClaimEndpoints({database, clock, claimFile}),
			...createCertificateEndpoints({database, authority, revocations, clock, onRevoked}),
		],
		deviceRoutes: createEstRoutes({
			...{database, authority, revocations, clock},
			recordBox: options.recordBox ?? recordBox,
			lateRenewalDays: authorityConfig.lateRenewalDays,
			logger: logger.child({part: 'est'}),
			onEnrolled: ({box, replaced}) => {
				if (replaced) {
					onRevoked([box]);
				} else {
					changes.publish({kind: 'boxes', ids: [box]});
				}
			},
		}),
	};
};
