import type {DefaultContext, DefaultState, Middleware} from 'koa';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';
import type {AuthorityErrorCode} from '#ota/fleet/authority/authority-error.ts';

export type DeviceRefusal = Extract<AuthorityErrorCode, `OTA_DEVICE_CERTIFICATE_${string}`>;

/** What the listener knows of who asks, before any route runs. */
export type DeviceState = DefaultState & {
	/** Of a certificate of the fleet that is neither revoked nor over. */
	deviceId?: DeviceId;
	/** Of whatever certificate was shown, SHA-256 of the DER: EST renews by it. */
	deviceFingerprint?: string;
	deviceRefusal?: DeviceRefusal;
};

const messages: Readonly<Record<DeviceRefusal, string>> = {
	OTA_DEVICE_CERTIFICATE_REQUIRED: 'A certificate of the fleet is needed here.',
	OTA_DEVICE_CERTIFICATE_FOREIGN: 'This certificate is none that the fleet gave to a box.',
	OTA_DEVICE_CERTIFICATE_EXPIRED: 'This certificate has ended: renew it, or enrol by a new claim.',
	OTA_DEVICE_CERTIFICATE_REVOKED: 'This certificate was revoked: the box needs a new claim.',
};

/** Before every route that is for enrolled boxes only. */
export const requireDevice: Middleware<DeviceState, DefaultContext> = async (context, next) => {
	if (context.state.deviceId === undefined) {
		const code = context.state.deviceRefusal ?? 'OTA_DEVICE_CERTIFICATE_REQUIRED';
		throw apiError<AuthorityErrorCode>(code, {
			status: code === 'OTA_DEVICE_CERTIFICATE_REQUIRED' ? 401 : 403,
			message: messages[code],
		});
	}
	await next();
};
