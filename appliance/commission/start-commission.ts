import {mkdir} from 'node:fs/promises';
import path from 'node:path';
import type {BroughtClaim} from '#appliance/commission/commission-schema.ts';
import {openConsoleCode} from '#appliance/commission/console-code.ts';
import {createCommissionApi} from '#appliance/commission/create-commission-api.ts';
import {createStateReader} from '#appliance/commission/read-commission-state.ts';
import {openReportKeeper} from '#appliance/commission/report-keeper.ts';
import {createRoleSignal} from '#appliance/commission/signal-source.ts';
import {createWriteGuard} from '#appliance/commission/write-guard.ts';
import type {CommissionConfig} from '#appliance/config/box-config-schema.ts';
import type {LoadedBoxConfig} from '#appliance/config/parse-box-config.ts';
import type {CommissionReport} from '#appliance/contract/fleet/commission-report-schema.ts';
import type {SupervisorStatus} from '#appliance/contract/supervisor-status-schema.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {HttpErrorCode} from '#appliance/http/create-app.ts';
import {listen} from '#appliance/http/listen.ts';
import {bringClaim, bringToken} from '#appliance/identity/claim-store.ts';
import {identityDirectoryOf, isClaimed} from '#appliance/identity/identity-files.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {writeDurably} from '#appliance/store/write-durably.ts';
import {type Clock, systemClock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';

/** A body comes whole in this time or not at all. */
const requestTimeoutMs = 15_000;
/** The answer is to reach the browser before the process goes. */
const restartDelayMs = 500;

export type CommissionOptions = {
	readonly config: Pick<LoadedBoxConfig<unknown>, 'box' | 'fleet'>;
	readonly commission: CommissionConfig;
	readonly status: () => SupervisorStatus;
	/** False while nothing keeps it for the fleet. */
	readonly tellCommissioned: (report: CommissionReport) => boolean;
	/** Ends the supervisor, which systemd starts again. */
	readonly stop: (reason: string) => void;
	/** Comes to be when a reset is asked for, and whoever may carries it out. Without it this page offers none. */
	readonly resetRequestFile?: string | undefined;
	/** Why nothing that this box keeps outlives this boot, if so: whose it is cannot be read then. */
	readonly stateLost: string | undefined;
	readonly logger: Logger;
	readonly signal: AbortSignal;
	readonly clock?: Clock;
};

export type RunningCommission = AsyncDisposable & {readonly url: string};

/** The technician's page, on a port of its own: the supervisor's other port stays closed to the home. */
export const startCommission = async (options: CommissionOptions): Promise<RunningCommission> => {
	const {config, commission, status, stateLost, resetRequestFile, clock = systemClock} = options;
	const logger = options.logger.child({component: 'commission'});
	const directory = path.join(config.box.stateDirectory, 'commission');
	await mkdir(directory, {recursive: true, mode: 0o700});
	await using stack = new AsyncDisposableStack();
	const ended = new AbortController();
	const signal = AbortSignal.any([options.signal, ended.signal]);
	const {monotonicMs} = clock;
	const code = await openConsoleCode({issueFile: path.join(directory, 'console.issue'), monotonicMs});
	const reports = await openReportKeeper({
		filePath: path.join(directory, 'report.json'),
		tell: options.tellCommissioned,
		logger,
	});
	const source = createRoleSignal({status, monotonicMs, signal});
	const {stateDirectory} = config.box;
	const claimed = (): Promise<boolean> => isClaimed({stateDirectory, claimFile: config.fleet?.claimFile});
	// Where a box is somebody's, or may be, its home's network alone is no proof of standing at it. What runs may outlive its files.
	const codeNeeded = async (): Promise<boolean> =>
		stateLost !== undefined || status().fleet?.enrolled === true || (await claimed());
	const newestReport = reports.newest;
	const takesReset = resetRequestFile !== undefined;
	const api = createCommissionApi({
		boxId: config.box.id,
		state: createStateReader({
			...{config, commission, status, claimed, codeNeeded, stateLost, takesReset, source, newestReport, clock, signal},
		}),
		signal: async () => {
			const {tuner, aim} = await source.read();
			return {atMs: Math.round(clock.nowMs()), tuner, aim};
		},
		guard: createWriteGuard({code, codeNeeded, monotonicMs}),
		takeClaim: (brought) => takeClaim({...options, signal}, brought),
		keepReport: reports.keep,
		requestReset: takesReset ? () => writeDurably(resetRequestFile, '', {mode: 0o600}) : undefined,
		logger,
	});
	const {host, port} = commission.listen;
	const listener = stack.use(await listen({handler: api.callback(), host, port, requestTimeoutMs}));
	const told = reports.run({signal});
	stack.defer(async () => {
		ended.abort(new DOMException('the commissioning page is closed', 'AbortError'));
		await told;
	});
	logger.info({commissionUrl: listener.url}, 'the technician’s page is open');
	const resources = stack.move();
	return {url: listener.url, [Symbol.asyncDispose]: () => resources.disposeAsync()};
};

/** Nobody looks for a new claim where one is being used, so all begins anew with it. */
const takeClaim = async (
	{config, status, stop, signal}: CommissionOptions,
	brought: BroughtClaim,
): Promise<{readonly restarts: boolean}> => {
	const claimFile = config.fleet?.claimFile;
	if (claimFile === undefined) {
		throw new CodedError<HttpErrorCode>('HTTP_CONFLICT', {message: 'This box’s file names no place for a claim.'});
	}
	const {fleet} = status();
	const place = {claimFile, directory: identityDirectoryOf(config.box.stateDirectory), deviceId: config.box.id};
	if ('claim' in brought) {
		await bringClaim({...place, content: brought.claim});
	} else if (fleet?.enrolled === true) {
		throw new CodedError<HttpErrorCode>('HTTP_CONFLICT', {
			message: 'This box is enrolled: a token alone changes nothing. To enrol it anew, bring a whole claim.',
		});
	} else {
		await bringToken({...place, token: brought.token});
	}
	const restarts = fleet !== undefined && (fleet.enrolled || fleet.reason === undefined);
	if (restarts) {
		void sleep(restartDelayMs, {signal}).then(
			() => stop('a new claim was brought'),
			() => undefined,
		);
	}
	return {restarts};
};
