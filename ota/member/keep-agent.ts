import {Agent} from 'node:https';
import type {DeviceRequest} from '#appliance/diagnostics/upload/request-device.ts';

/** An update is asked for in hundreds of ranges, one after the other; the server lets one address have few connections. */
const socketsMax = 4;

/**
 * An agent by the box's certificate, the same one for as long as that is the same: a new one for each request would open a
 * connection each, with a handshake of both sides, and leave it open. Those of an old certificate are closed.
 */
export const createAgentKeeper = (
	tls: () => DeviceRequest['tls'],
	{signal}: {readonly signal: AbortSignal},
): (() => Agent | undefined) => {
	let kept: {readonly agent: Agent; readonly of: string} | undefined;
	const leave = (): void => {
		kept?.agent.destroy();
		kept = undefined;
	};
	signal.addEventListener('abort', leave, {once: true});
	return () => {
		const now = tls();
		const of = JSON.stringify(now);
		if (kept?.of !== of) {
			leave();
			kept = now && {agent: new Agent({...now, keepAlive: true, maxSockets: socketsMax}), of};
		}
		return kept?.agent;
	};
};
