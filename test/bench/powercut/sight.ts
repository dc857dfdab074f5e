import type {UpdatePhase} from '#appliance/contract/fleet/update-schema.ts';
import type {BoxDetail} from '#ota/contract/box-api.ts';
import type {RolloutBox} from '#ota/contract/rollout-api.ts';
import type {BootVariables, Slot} from '#test/bench/powercut/boot-variables.ts';

/** What there is to see of a box from outside: at its fleet, on its console, on its disk. */
export type Sight = {
	/** Undefined as long as the fleet does not know it. */
	readonly box: BoxDetail | undefined;
	/** Of its update, as the fleet knows it. */
	readonly phase: UpdatePhase;
	/** Its part in the rollout; undefined before there is one. */
	readonly rollout: RolloutBox | undefined;
	/** Slots that GRUB has booted since the power came. */
	readonly boots: readonly string[];
	readonly variables: BootVariables | undefined;
};

export const isHealthy = ({box}: Sight): boolean =>
	box?.presence === 'online' && box.reported?.healthy === true && box.reported.slots.length > 0;

export const isOver = ({rollout}: Sight): boolean => rollout?.state === 'done' || rollout?.state === 'failed';

/** The slot that runs, as the box tells its fleet. */
export const bootedSlot = ({reported}: BoxDetail): Slot | undefined => {
	const name = reported?.slots.find(({state}) => state === 'booted')?.name;
	return name === 'rootfs.0' ? 'A' : name === 'rootfs.1' ? 'B' : undefined;
};
