import {runRole} from '#appliance/process/run-role.ts';
import {popNodeConfigSchema} from '#pop-node/config-schema.ts';
import {startPopNode} from '#pop-node/start.ts';

await runRole({kind: 'pop-node', configSchema: popNodeConfigSchema, start: startPopNode});
