// What pages do better with a script. Every page works without it.
'use strict';
