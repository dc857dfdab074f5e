import {TLSSocket} from 'node:tls';
import type {DefaultContext, Middleware} from 'koa';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {findCertificateByFingerprint, type StoredCertificate} from '#ota/fleet/authority/certificate-repository.ts';
import {fingerprintOf} from '#ota/fleet/authority/open-authority.ts';
import type {DeviceRefusal, DeviceState} from '#ota/fleet/device/device-state.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

/** A certificate that another server revokes is refused by this one after so long. */
const statusKeptMs = 1000;
const statusesMax = 20_000;

type Status = {readonly row: StoredCertificate | undefined; readonly readMs: number};

export type DeviceAuthentication = {
	readonly middleware: Middleware<DeviceState, DefaultContext>;
	/** Revocations of this server count at once. */
	readonly forget: () => void;
};

/**
 * Tells who asks from the certificate of the TLS connection. The handshake proved that the peer has its key; that it is
 * the fleet's is known by its SHA-256 among those issued, which says more than a chain, and on every request anew,
 * because a connection may outlive its certificate.
 */
export const createDeviceAuthentication = (options: {
	readonly database: FleetDatabase;
	readonly clock: Clock;
}): DeviceAuthentication => {
	const {database, clock} = options;
	const statuses = new Map<string, Status>();

	const statusOf = async (fingerprint: string): Promise<StoredCertificate | undefined> => {
		const known = statuses.get(fingerprint);
		if (known !== undefined && clock.monotonicMs() - known.readMs < statusKeptMs) {
			return known.row;
		}
		const row = await findCertificateByFingerprint(database, fingerprint);
		statuses.delete(fingerprint);
		statuses.set(fingerprint, {row, readMs: clock.monotonicMs()});
		if (statuses.size > statusesMax) {
			const [oldest] = statuses.keys();
			statuses.delete(oldest ?? fingerprint);
		}
		return row;
	};

	const middleware: DeviceAuthentication['middleware'] = async (context, next) => {
		const {socket} = context.req;
		const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
		if (certificate === undefined) {
			context.state.deviceRefusal = 'OTA_DEVICE_CERTIFICATE_REQUIRED';
		} else {
			const fingerprint = fingerprintOf(certificate.raw);
			const row = await statusOf(fingerprint);
			const refusal = refusalOf(row, clock.nowMs());
			context.state.deviceFingerprint = fingerprint;
			if (refusal === undefined && row !== undefined) {
				context.state.deviceId = deviceIdSchema.parse(row.box);
			} else {
				context.state.deviceRefusal = refusal ?? 'OTA_DEVICE_CERTIFICATE_FOREIGN';
			}
		}
		await next();
	};
	return {middleware, forget: () => statuses.clear()};
};

const refusalOf = (row: StoredCertificate | undefined, nowMs: number): DeviceRefusal | undefined => {
	if (row === undefined) {
		return 'OTA_DEVICE_CERTIFICATE_FOREIGN';
	}
	if (row.revoked_ms !== null) {
		return 'OTA_DEVICE_CERTIFICATE_REVOKED';
	}
	return row.not_after_ms <= nowMs ? 'OTA_DEVICE_CERTIFICATE_EXPIRED' : undefined;
};
