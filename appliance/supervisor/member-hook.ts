import type {LoadedBoxConfig} from '#appliance/config/parse-box-config.ts';
import type {CommissionReport} from '#appliance/contract/fleet/commission-report-schema.ts';
import type {PlaybackReport} from '#appliance/contract/playback-report.ts';
import type {FleetStatus, SupervisorStatus} from '#appliance/contract/supervisor-status-schema.ts';
import type {LogRing} from '#appliance/diagnostics/log/log-ring.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {RunningSupervisor} from '#appliance/supervisor/start-supervisor.ts';

export type MemberHookOptions = {
	readonly config: LoadedBoxConfig<unknown>;
	/** Absolute. */
	readonly boxFilePath: string;
	readonly release: string;
	readonly logger: Logger;
	/** What this process and the role print; undefined where the system's journal keeps it. */
	readonly ring: LogRing | undefined;
	/** Ends the supervisor: with the development installer, what stands in for a reboot. */
	readonly stop: (reason: string) => void;
	readonly signal: AbortSignal;
};

/** The box's part in its fleet, as its supervisor sees it. Appliance knows no fleet: whoever starts us brings it. */
export type SupervisedMember = AsyncDisposable & {
	/** What the role is to be started with: the box's file, or that with the fleet's changes. */
	readonly roleFile: () => string;
	readonly fleetStatus: () => FleetStatus;
	readonly onStatus: (status: SupervisorStatus) => void;
	readonly onPlayback: (report: PlaybackReport) => void;
	/** False while there is nothing that keeps it for the fleet; ask again later. */
	readonly tellCommissioned: (report: CommissionReport) => boolean;
	/** The supervisor runs: begin to reach the fleet. Returns at once. */
	readonly attach: (supervisor: RunningSupervisor) => void;
};

/** Reads only what is on the box; must not wait for the network. */
export type StartMember = (options: MemberHookOptions) => Promise<SupervisedMember>;
