import {runTool} from '#appliance/diagnostics/run-tool.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {BootRecord} from '#ota/member/boot-cause.ts';
import type {MemberErrorCode} from '#ota/member/error-code.ts';
import type {SlotInstaller} from '#ota/slot/slot-installer.ts';

/** The reply must leave the box before it goes. */
const delayMinMs = 1500;
const rebootTimeoutMs = 60_000;

/** Reboots in order, after the delay: by the installer if there is one, else by systemd. */
export const createReboot =
	(options: {
		readonly installer: SlotInstaller | undefined;
		readonly boot: BootRecord;
		readonly logger: Logger;
		readonly signal: AbortSignal;
	}): ((delayMs: number) => Promise<unknown>) =>
	async (delayMs) => {
		const {installer, boot, logger, signal} = options;
		if (installer === undefined) {
			await refuseWithoutSystemd(signal);
		}
		const inMs = Math.max(delayMs, delayMinMs);
		const go = async (): Promise<void> => {
			await sleep(inMs, {signal});
			await boot.willReboot('command', 'the fleet asked for it');
			const limit = AbortSignal.any([signal, AbortSignal.timeout(rebootTimeoutMs)]);
			await (installer === undefined
				? runTool('systemctl', {args: ['reboot'], bytesMax: 1024, signal: limit})
				: installer.reboot({signal: limit}));
		};
		void go().catch((error: unknown) => logger.error({err: error}, 'the box was not rebooted'));
		return {inMs};
	};

const refuseWithoutSystemd = async (signal: AbortSignal): Promise<void> => {
	const state = await runTool('systemctl', {args: ['is-system-running'], bytesMax: 1024, signal}).catch(
		() => undefined,
	);
	if (!/^(?:running|degraded|starting|maintenance)/u.test(state?.output.toString('utf8') ?? '')) {
		throw new CodedError<MemberErrorCode>('OTA_MEMBER_NO_REBOOT', {
			message: 'Nothing on this box can reboot it: it has neither an installer nor systemd.',
		});
	}
};
