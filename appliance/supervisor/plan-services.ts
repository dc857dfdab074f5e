import type {BoxConfig} from '#appliance/config/box-config-schema.ts';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import type {ServiceDescription, ServiceUnit} from '#appliance/supervisor/service-description.ts';

export type PlannedService = {
	readonly description: ServiceDescription;
	/** The box is not healthy while it is down. */
	readonly mustRun: boolean;
};

/** A role's unit but for the file, which is the plan's. */
export type RoleUnit = Omit<ServiceUnit, 'sourcePath'>;

/** From a box's file to what must run on it. Pure: the same file gives the same plan. */
export const planServices = (options: {
	readonly config: Pick<BoxConfig, 'box' | 'supervisor'>;
	/** The file that the role reads; asked anew at each of its starts. */
	readonly filePath: string | (() => string);
	readonly nodePath: string;
	readonly roleMainPath: (kind: BoxKind) => string;
	/** Where the role is a unit of its own. */
	readonly roleUnit?: RoleUnit | undefined;
	/** Hears what the role prints. */
	readonly onOutput?: ((service: string, text: string) => void) | undefined;
}): readonly PlannedService[] => {
	const {box, supervisor} = options.config;
	const {filePath, onOutput, roleUnit} = options;
	const roleFile = (): string => (typeof filePath === 'function' ? filePath() : filePath);
	return [
		{
			mustRun: true,
			description: {
				name: box.kind,
				command: options.nodePath,
				args: () => [options.roleMainPath(box.kind), '--config', roleFile()],
				...(roleUnit === undefined ? {} : {unit: {...roleUnit, sourcePath: roleFile}}),
				readiness: {kind: 'message'},
				...(onOutput === undefined
					? {output: 'inherit'}
					: {output: 'relay', onOutput: (text: string) => onOutput(box.kind, text)}),
				// A role keeps its state safe against kill -9; one that lingered would fight the next for ports and files.
				orphanSignal: 'SIGKILL',
				startTimeoutMs: supervisor.startTimeoutMs,
				stopTimeoutMs: supervisor.stopTimeoutMs,
				heartbeatTimeoutMs: supervisor.heartbeatTimeoutMs,
				restartDelayMinMs: supervisor.restartDelayMinMs,
				restartDelayMaxMs: supervisor.restartDelayMaxMs,
			},
		},
	];
};
