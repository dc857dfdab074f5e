import type {LogRing} from '#appliance/diagnostics/log/log-ring.ts';
import {openLog} from '#appliance/diagnostics/log/open-log.ts';
import {openTerminal} from '#appliance/diagnostics/stream/open-terminal.ts';
import {openTerminalUnit} from '#appliance/diagnostics/stream/open-terminal-unit.ts';
import {createStreamSessions, type StreamSessions} from '#appliance/diagnostics/stream/stream-sessions.ts';
import type {SystemHelpers} from '#appliance/diagnostics/system-helpers.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {FleetLink} from '#appliance/mqtt/fleet-link.ts';
import type {MemberErrorCode} from '#ota/member/error-code.ts';
import type {BoxSecrets} from '#ota/member/member-secrets.ts';
import type {MemberState} from '#ota/member/member-state.ts';

/** The terminals and logs of a box, as its file allows them. */
export const memberStreams = (options: {
	readonly state: MemberState;
	readonly link: FleetLink;
	/** Where this process may not become another user. */
	readonly helpers?: SystemHelpers | undefined;
	readonly ring: LogRing | undefined;
	readonly secrets: BoxSecrets;
	readonly logger: Logger;
}): StreamSessions => {
	const {state, link, helpers, ring, secrets, logger} = options;
	const {enabled, user, group, shell, linkLossMs} = state.config.fleet.terminal;
	return createStreamSessions({
		...{link, linkLossMs, logger: logger.child({component: 'stream'})},
		open: (request, listener, order) => {
			if (request.kind === 'log') {
				const origin = ring === undefined ? ({kind: 'journal'} as const) : ({kind: 'ring', ring} as const);
				return openLog({...request, origin, redact: secrets.redact, listener, logger});
			}
			if (!enabled) {
				throw new CodedError<MemberErrorCode>('OTA_MEMBER_TERMINAL_OFF', {
					message: 'The file of this box allows no terminal.',
				});
			}
			return helpers === undefined
				? openTerminal({...request, user, group, shell, listener})
				: openTerminalUnit({...request, order, keyChain: link.keyChain, helpers, listener});
		},
	});
};
