/**
 * The law of imports. The rooms of src/ stand in this order, and a room imports only rooms before it: no circles, no
 * upward imports, no exceptions. docs/architecture.md says what each room is.
 */
const ROOMS = [
  'protocol',
  'contract',
  'validation',
  'database',
  'polling',
  'schema',
  'queue',
  // Capabilities know the queue, and never each other: what they do together hangs on the queue's hooks.
  ['callbacks', 'maintenance', 'live', 'metrics', 'flow', 'bulk', 'schedules', 'batches'],
  'operator',
  'service',
  'http',
  'client',
  'dashboard',
  'processors',
  'options',
];

const rooms = ROOMS.map((room) => [room].flat());
const path = (names) => `^src/(${names.join('|')})/`;

/** Of the rooms that share a place in the order, each knows only itself. */
const upward = rooms.flatMap((names, place) =>
  names.map((name) => ({
    name: `${name}-imports-only-rooms-before-it`,
    severity: 'error',
    from: { path: path([name]) },
    to: { path: '^src/', pathNot: path([name, ...rooms.slice(0, place).flat()]) },
  })),
);

module.exports = {
  forbidden: [
    ...upward,
    {
      name: 'creation-is-a-room-of-the-queue',
      comment: 'Everything that only creates tasks stands there. Nothing else of the queue knows it.',
      severity: 'error',
      from: { path: '^src/queue/', pathNot: '^src/queue/creation/' },
      to: { path: '^src/queue/creation/' },
    },
    {
      name: 'creation-knows-no-other-use-case',
      severity: 'error',
      from: { path: '^src/queue/creation/' },
      to: { path: '^src/queue/(use-cases|waiting)/' },
    },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'client-needs-no-server',
      comment: 'The client is installed where there is no server, and has no dependencies.',
      severity: 'error',
      from: { path: '^src/client/' },
      to: { pathNot: '^src/(client|protocol)/', dependencyTypesNot: ['core'] },
    },
    {
      name: 'dashboard-page-calls-the-api-alone',
      comment: 'The page runs in a browser. It knows the server by the client and the types of the protocol.',
      severity: 'error',
      from: { path: '^src/dashboard/app/' },
      to: { path: '^src/', pathNot: '^src/(dashboard/app|client|protocol)/' },
    },
    {
      name: 'dashboard-page-is-built-apart',
      comment: 'Only its build knows the source of the page. The server serves what was built.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/dashboard/app/' },
      to: { path: '^src/dashboard/app/' },
    },
    {
      name: 'protocol-imports-nothing',
      severity: 'error',
      from: { path: '^src/protocol/' },
      to: { pathNot: '^src/protocol/' },
    },
    {
      name: 'server-is-a-host-like-any-other',
      severity: 'error',
      from: { path: '^src/(server/|main\\.ts|cli\\.ts)' },
      to: { path: '^src/', pathNot: '^src/(server/|index\\.ts|settings\\.ts)' },
    },
    {
      name: 'every-room-has-a-place',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: path([...rooms.flat(), 'server']) },
      to: {},
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
  },
};
