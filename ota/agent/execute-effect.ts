import {statfs} from 'node:fs/promises';
import {CodedError, errorMessage, hasCode} from '#appliance/error/coded-error.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {BundleShelf} from '#ota/agent/bundle-shelf.ts';
import {runChecks} from '#ota/agent/check/run-checks.ts';
import type {AgentErrorCode} from '#ota/agent/error-code.ts';
import {isWindowOpen} from '#ota/agent/maintenance-window.ts';
import type {SettledOptions} from '#ota/agent/settled-options.ts';
import type {UpdateEffect, UpdateEvent} from '#ota/agent/update-event.ts';
import type {ActiveState} from '#ota/agent/update-state.ts';
import {reasonOf} from '#ota/agent/ways-out.ts';
import {withinDeadline} from '#ota/agent/within-deadline.ts';

export type WorkContext = {
	readonly state: ActiveState;
	readonly options: SettledOptions;
	readonly shelf: BundleShelf;
	readonly signal: AbortSignal;
};
type Work = (context: WorkContext) => Promise<UpdateEvent>;
export type WorkKind = Exclude<UpdateEffect['kind'], 'clean'>;

/** One entry per effect: does it, and answers what came of it. Throws only when it was given up. */
export const executeEffect = async (kind: WorkKind, context: WorkContext): Promise<UpdateEvent> => {
	const {work, code} = executors[kind];
	try {
		return await work(context);
	} catch (error) {
		context.signal.throwIfAborted();
		context.options.logger.warn({err: error, work: kind}, 'a step of the update failed');
		return failedBy(error, code);
	}
};

const failedBy = (error: unknown, code: AgentErrorCode): UpdateEvent => {
	if (error instanceof CodedError && error.code.startsWith('OTA_REFUSED_')) {
		return {kind: 'refused', reason: {code: error.code, message: error.message.slice(0, 1024)}};
	}
	const own = error instanceof CodedError && error.code.startsWith('OTA_FAILED_');
	const late = hasCode(error, 'OTA_DEADLINE');
	const refused = error instanceof CodedError ? bundleCodes[error.code] : undefined;
	const told = own ? (error.code as AgentErrorCode) : late ? (deadlineCodes[code] ?? code) : (refused ?? code);
	const retryable = !late && (error instanceof CodedError ? error.retryable : true);
	return {kind: 'failed', reason: reasonOf(told, errorMessage(error)), retryable};
};

/** What the installer has against a bundle that is the one which was ordered. */
const bundleCodes: Readonly<Record<string, AgentErrorCode>> = {
	OTA_SLOT_BUNDLE_COMPATIBLE: 'OTA_FAILED_BUNDLE_COMPATIBLE',
	OTA_SLOT_BUNDLE_DAMAGED: 'OTA_FAILED_BUNDLE_DAMAGED',
	OTA_SLOT_BUNDLE_SIGNATURE: 'OTA_FAILED_BUNDLE_SIGNATURE',
	OTA_SLOT_TOO_SMALL: 'OTA_FAILED_SLOT_TOO_SMALL',
};

const deadlineCodes: Partial<Record<AgentErrorCode, AgentErrorCode>> = {
	OTA_FAILED_FETCH: 'OTA_FAILED_FETCH_DEADLINE',
	OTA_FAILED_INSTALL: 'OTA_FAILED_INSTALL_DEADLINE',
	OTA_ROLLED_BACK_CHECKS: 'OTA_ROLLED_BACK_DEADLINE',
};

const judge: Work = async ({state, options, shelf, signal}) => {
	const {installer, limits, clock} = options;
	const verdict = await withinDeadline(async (bounded) => await installer.bootVerdict({signal: bounded}), {
		what: 'Reading the slots',
		timeoutMs: limits.slotTimeoutMs,
		signal,
	});
	const {bavail, bsize} = await statfs(options.stateDirectory);
	const {running} = await shelf.judge(state.job.order, {
		running: verdict.release,
		nowMs: clock.nowMs(),
		expiresMs: state.job.expiresMs,
		isFactory: verdict.isFactory,
		origin: state.job.origin,
		freeBytes: bavail * bsize,
	});
	return {kind: 'judged', running};
};

const waitUntilDue: Work = async ({state, options: {clock, limits}, signal}) => {
	const {order, expiresMs} = state.job;
	const notBeforeMs = state.kind === 'accepted' ? (state.notBeforeMs ?? 0) : 0;
	const dueMs = Math.max(order.notBeforeMs ?? 0, notBeforeMs);
	for (let nowMs = clock.nowMs(); nowMs < dueMs; nowMs = clock.nowMs()) {
		refuseExpired('OTA_REFUSED_EXPIRED', nowMs, expiresMs);
		await sleep(Math.min(dueMs - nowMs, limits.waitMaxMs), {signal});
	}
	refuseExpired('OTA_REFUSED_EXPIRED', clock.nowMs(), expiresMs);
	return {kind: 'due'};
};

const awaitWindow: Work = async ({state, options, signal}) => {
	const {clock, limits, installer, timeZone} = options;
	const {order, expiresMs} = state.job;
	const windows = order.windows ?? options.windows();
	while (!isWindowOpen(windows, {nowMs: clock.nowMs(), timeZone: timeZone()})) {
		refuseExpired('OTA_REFUSED_WINDOW', clock.nowMs(), expiresMs);
		await sleep(limits.waitMaxMs, {signal});
	}
	refuseExpired('OTA_REFUSED_EXPIRED', clock.nowMs(), expiresMs);
	const {bootedSlot} = await withinDeadline(async (bounded) => await installer.bootVerdict({signal: bounded}), {
		what: 'Reading the slots',
		timeoutMs: limits.slotTimeoutMs,
		signal,
	});
	return {kind: 'window-open', bootedSlot};
};

const refuseExpired = (code: AgentErrorCode, nowMs: number, expiresMs: number | undefined): void => {
	if (expiresMs !== undefined && nowMs >= expiresMs) {
		const message =
			code === 'OTA_REFUSED_WINDOW' ? 'The order expired before a window opened.' : 'The order has expired.';
		throw new CodedError<AgentErrorCode>(code, {message});
	}
};

const fetch: Work = async ({state, shelf, signal}) => {
	const {order} = state.job;
	try {
		const isLastAttempt = state.job.attempt >= order.attemptsMax;
		return {kind: 'fetched', bytes: await shelf.fetch(order, {isLastAttempt, signal})};
	} catch (error) {
		signal.throwIfAborted();
		const failed = failedBy(error, 'OTA_FAILED_FETCH');
		return failed.kind === 'failed' ? {...failed, bytes: shelf.bytesOf(order)} : failed;
	}
};

const install: Work = async ({state, options: {installer, logger}, shelf, signal}) => {
	const {order} = state.job;
	const bundle = await shelf.verified(order);
	await withinDeadline(
		async (bounded) =>
			await installer.install(bundle, {
				signal: bounded,
				progress: (fraction) => logger.debug({fraction}, 'installing'),
			}),
		{what: 'Installing', timeoutMs: order.deadlines.installMs, signal},
	);
	return {kind: 'installed'};
};

/** What is given up while it is written is written to its end, so that this may take as long as installing. */
const cancel: Work = async ({state, options: {installer, limits, random}, signal}) => {
	const tries = state.kind === 'cancelling' ? state.tries : 1;
	const {retryInitialMs: initialMs, retryMaxMs: maxMs} = limits;
	await sleep(tries > 1 ? backoffMs(tries - 2, {initialMs, maxMs, random}) : 0, {signal});
	await withinDeadline(async (bounded) => await installer.cancel({signal: bounded}), {
		what: 'Taking the new slot back',
		timeoutMs: state.job.order.deadlines.installMs,
		signal,
	});
	return {kind: 'cancelled'};
};

const markGood: Work = async ({options: {installer, limits}, signal}) => {
	await withinDeadline(async (bounded) => await installer.markGood({signal: bounded}), {
		what: 'Marking the slot good',
		timeoutMs: limits.slotTimeoutMs,
		signal,
	});
	return {kind: 'marked-good'};
};

/** Ends with the process; what comes back after the deadline is that nothing happened. */
const reboot: Work = async ({state, options: {installer}, signal}) => {
	const timeoutMs = state.job.order.deadlines.rebootMs;
	const onlyEndsLate = async (bounded: AbortSignal): Promise<never> => {
		await installer.reboot({signal: bounded});
		await sleep(timeoutMs + 1000, {signal: bounded});
		throw new CodedError<AgentErrorCode>('OTA_FAILED_REBOOT', {message: 'The box did not reboot.'});
	};
	return await withinDeadline(onlyEndsLate, {what: 'Rebooting', timeoutMs, signal});
};

const check: Work = async ({state, options: {checks}, signal}) => {
	const deadlineMs = state.job.order.deadlines.confirmMs;
	const verdict = await withinDeadline(async (bounded) => await runChecks(checks, {deadlineMs, signal: bounded}), {
		what: 'Confirming',
		timeoutMs: deadlineMs + 1000,
		signal,
	});
	return verdict.kind === 'passed'
		? {kind: 'checked'}
		: {kind: 'failed', reason: reasonOf('OTA_ROLLED_BACK_CHECKS', verdict.detail), retryable: false};
};

/** A slot that cannot be marked bad is left all the same: the boot loader counts its tries. */
const revert: Work = async (context) => {
	const {options, signal} = context;
	const {installer, limits, logger} = options;
	await withinDeadline(async (bounded) => await installer.markBad({signal: bounded}), {
		what: 'Marking the slot bad',
		timeoutMs: limits.slotTimeoutMs,
		signal,
	}).catch((error: unknown) => {
		signal.throwIfAborted();
		logger.error({err: error}, 'the slot cannot be marked bad; rebooting all the same');
	});
	return await reboot(context);
};

const executors: Readonly<Record<WorkKind, {readonly work: Work; readonly code: AgentErrorCode}>> = {
	judge: {work: judge, code: 'OTA_FAILED_INTERRUPTED'},
	'wait-until-due': {work: waitUntilDue, code: 'OTA_FAILED_FETCH'},
	fetch: {work: fetch, code: 'OTA_FAILED_FETCH'},
	'await-window': {work: awaitWindow, code: 'OTA_FAILED_INSTALL'},
	install: {work: install, code: 'OTA_FAILED_INSTALL'},
	cancel: {work: cancel, code: 'OTA_FAILED_INSTALL'},
	reboot: {work: reboot, code: 'OTA_FAILED_REBOOT'},
	check: {work: check, code: 'OTA_ROLLED_BACK_CHECKS'},
	'mark-good': {work: markGood, code: 'OTA_ROLLED_BACK_MARK'},
	revert: {work: revert, code: 'OTA_FAILED_REVERT'},
};
