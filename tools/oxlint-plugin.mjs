// House rules: each forbids one thing that has hurt projects of this kind, and says what to use instead.

const at = (context, node, message) => context.report({ node, message });

/** kit owns the clock and the processes; cli and daemon are where the environment is read. */
const inRoom = (context, ...rooms) =>
  rooms.some((room) => context.filename.includes(`/packages/${room}/src/`));

const SHELL_CALLS = new Set(['exec', 'execSync']);

const noShellString = {
  create(context) {
    return {
      ImportDeclaration(node) {
        if (node.source.value !== 'node:child_process') return;
        if (!inRoom(context, 'kit')) {
          at(context, node, 'start processes through @updraft/kit (argument arrays only)');
        }
        for (const specifier of node.specifiers) {
          if (SHELL_CALLS.has(specifier.imported?.name))
            at(context, specifier, 'shell strings are forbidden');
        }
      },
      Property(node) {
        if (node.key.name === 'shell' && node.value.value === true)
          at(context, node, 'shell: true is forbidden');
      },
    };
  },
};

const TIMERS = new Set(['setTimeout', 'setInterval']);

const noAmbientClock = {
  create(context) {
    if (inRoom(context, 'kit')) return {};
    return {
      CallExpression(node) {
        const { callee } = node;
        if (callee.type === 'Identifier' && TIMERS.has(callee.name)) {
          at(context, node, 'take time from the Clock that was handed in (@updraft/kit)');
        }
        if (
          callee.type === 'MemberExpression' &&
          callee.object.name === 'Date' &&
          callee.property.name === 'now'
        ) {
          at(context, node, 'take time from the Clock that was handed in (@updraft/kit)');
        }
      },
      NewExpression(node) {
        if (node.callee.name === 'Date' && node.arguments.length === 0) {
          at(context, node, 'take time from the Clock that was handed in (@updraft/kit)');
        }
      },
    };
  },
};

const noAmbientEnvironment = {
  create(context) {
    // Tool entry points of stand-ins are programs of their own.
    if (inRoom(context, 'cli', 'daemon', 'kit') || context.filename.includes('/stand-ins/src/tools/'))
      return {};
    return {
      MemberExpression(node) {
        if (node.object.name === 'process' && node.property.name === 'env') {
          at(context, node, 'the environment is read in cli and daemon only; pass values in');
        }
      },
    };
  },
};

const noTerminalColour = {
  create(context) {
    if (inRoom(context, 'cli') || context.filename.endsWith('.test.ts')) return {};
    const check = (node, text) => {
      if (typeof text === 'string' && text.includes('\u001b[')) at(context, node, 'colour belongs to cli');
    };
    return {
      Literal: (node) => check(node, node.value),
      TemplateElement: (node) => check(node, node.value.cooked),
    };
  },
};

export default {
  meta: { name: 'updraft' },
  rules: {
    'no-shell-string': noShellString,
    'no-ambient-clock': noAmbientClock,
    'no-ambient-environment': noAmbientEnvironment,
    'no-terminal-colour': noTerminalColour,
  },
};
