import type {SystemHelpers} from '#appliance/diagnostics/system-helpers.ts';
import type {RoleUnit} from '#appliance/supervisor/plan-services.ts';

/** What the units of an image (profile/base/overlay) and our processes must call alike. */
const runDirectory = '/run/streamverse';

export const roleUnit: RoleUnit = {
	socketPath: `${runDirectory}/role.socket`,
	unitPattern: 'streamverse-role@*.service',
	filePath: '/run/streamverse-role/box.yaml',
	stateDirectory: '/var/lib/streamverse-role',
	endPath: '/run/streamverse-role/end/last',
};

export const systemHelpers: SystemHelpers = {
	captureSocket: `${runDirectory}/capture.socket`,
	kernelLogSocket: `${runDirectory}/kernel-log.socket`,
	identifySocket: `${runDirectory}/identify.socket`,
	elevateSocket: `${runDirectory}/elevate.socket`,
	shellUnit: (terminal, {elevated}) => `streamverse-${elevated ? 'root-shell' : 'shell'}@${terminal}.service`,
};

/** Written by the first boot, as root; read by streamverse-elevate. */
export const anchorPath = '/var/lib/streamverse-trust/anchor.json';
/** Written by the supervisor; streamverse-reset.path looks for it. */
export const resetRequestFile = '/var/lib/streamverse/factory-reset';
export const elevateDirectory = '/var/lib/streamverse-elevate';
