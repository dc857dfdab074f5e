import {runRole} from '#appliance/process/run-role.ts';
import {headendConfigSchema} from '#headend/config-schema.ts';
import {startHeadend} from '#headend/start.ts';

await runRole({kind: 'headend', configSchema: headendConfigSchema, start: startHeadend});
