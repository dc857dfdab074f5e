import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import type {ApplianceErrorCode} from '#appliance/error/error-code.ts';

/** Why nobody can connect here, for whoever chose the address. */
export const listenFailed = (
	cause: unknown,
	{host, port}: {readonly host: string; readonly port: number},
): CodedError<ApplianceErrorCode> =>
	new CodedError<ApplianceErrorCode>('APPLIANCE_LISTEN_FAILED', {
		message: `Cannot listen on ${host}:${port}; ${whyOf(cause)}.`,
		cause,
		details: {host, port},
	});

const whyOf = (cause: unknown): string => {
	if (hasCode(cause, 'EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN')) {
		return 'this machine has no such address';
	}
	return hasCode(cause, 'EACCES')
		? 'a port below 1024 needs the right CAP_NET_BIND_SERVICE'
		: 'another program may hold that port';
};
