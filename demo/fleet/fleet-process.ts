import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {createLogger} from '#appliance/log/logger.ts';
import {openParentChannel} from '#appliance/process/parent-channel.ts';
import {runProcess} from '#appliance/process/run-process.ts';
import {systemClock} from '#appliance/time/clock.ts';
import {firstAdminFile} from '#demo/fleet/first-admin.ts';
import {fleetConfigSchema} from '#ota/fleet/config/fleet-config-schema.ts';
import {keepHeapSmall} from '#ota/fleet/keep-heap-small.ts';
import {startFleet} from '#ota/fleet/start-fleet.ts';

const stopTimeoutMs = 15_000;

/** The demo's fleet server: as `./streamverse fleet`, but it leaves the one-time password where the demo finds it. */
const {values} = parseArgs({options: {state: {type: 'string'}, port: {type: 'string'}, headend: {type: 'string'}}});
const stateDirectory = values.state ?? '';
const config = fleetConfigSchema.parse({
	fleet: 'demo',
	log: {level: 'info'},
	operator: {port: Number(values.port)},
	carousel: {
		objectBaseUri: 'http://dvb.gw/streamverse/',
		headendUrls: values.headend === undefined ? [] : [values.headend],
	},
	broker: {kind: 'mosquitto', host: '127.0.0.1', port: 0, serverPort: 0},
});
const logger = createLogger({name: 'fleet', level: config.log.level});
await runProcess({
	logger,
	stopTimeoutMs,
	start: async ({signal, stop}) => {
		const parent = openParentChannel({signal, onStop: stop});
		await mkdir(stateDirectory, {recursive: true, mode: 0o700});
		const fleet = await startFleet({config, stateDirectory, clock: systemClock, logger, signal});
		if (fleet.firstAdmin !== undefined) {
			await writeFile(join(stateDirectory, firstAdminFile), JSON.stringify(fleet.firstAdmin), {mode: 0o600});
		}
		await keepHeapSmall();
		parent.tell({kind: 'ready', endpoints: {console: fleet.url, device: fleet.deviceUrl, broker: fleet.brokerUrl}});
		return fleet;
	},
});
